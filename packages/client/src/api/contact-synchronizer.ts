import {
  type ContactPreferences,
  contactFacts,
  type FlatMaps,
  type KeyChange,
  KithError,
  planSync,
  planSyncAsUpdate,
  type SyncPlan,
  sameValue,
} from '@kith/shared'
import { edit } from '../database/edit.ts'
import { countTurned, turnedAgain, usersOf } from '../database/turned-keys.ts'
import { overlay } from '../documents/overlay.ts'
import {
  type Addresses,
  checkPhoneNumbers,
  type DuplicateAddress,
  type InvalidAddress,
  type PhoneNumbersOption,
  readAddresses,
} from './addresses.ts'
import type { AnyFields, Level } from './app-types.ts'
import { checkBoolean, checkFunction, checkTexts, wrong } from './arguments.ts'
import { coreOf } from './core-of.ts'
import { Kith } from './kith.ts'
import { checkLevels } from './levels.ts'

/** The progress of a synchronisation. */
export interface SyncProgress {
  /** `reading` while addresses are read, `writing` while the single transaction is written to disk. */
  stage: 'reading' | 'writing'
  /** The number of addresses read, or of contacts written; the latter changes from 0 to all in one step. */
  done: number
  total: number
}

/** The options of `ContactSynchronizer`. */
export interface ContactSynchronizerOptions {
  /** Reads addresses as phone numbers in international form; with a region such as `GB`, also in national form. */
  phoneNumbers?: PhoneNumbersOption
  /** Called after every 250 addresses read, and before and after writing. The page can paint between the calls. */
  onProgress?: (progress: SyncProgress) => void
  /** Fills `duplicates` of the result. */
  reportDuplicates?: boolean
}

/** The result of a synchronisation. */
export interface SyncResult {
  /** Users who were not contacts before. */
  added: number
  /** Contacts whose levels or subscription changed. */
  updated: number
  unchanged: number
  /**
   * The number of added and updated users for whom this call set values again that had been removed since they were last set;
   * absent when there are none. If this happens repeatedly for the same users, `sync-turns-back` is reported once.
   */
  turned?: number
  /** The rejected addresses, each with the reason. */
  invalid: InvalidAddress[]
  /** With `reportDuplicates`: addresses that name the same user as an earlier address of the call. The user counts once. */
  duplicates?: DuplicateAddress[]
}

interface Batch {
  plan: typeof planSync
  addresses: Promise<Addresses>
  preferences: SynchronizerPreferences
}

interface SynchronizerPreferences extends ContactPreferences {
  /** `setProfileAccessLevels(null)` was called after `subscribe(true)`: it also ends the follows that `subscribe` began. */
  endsOwnFollows?: boolean
}

/**
 * Brings a phone book into the roster. `subscribe` and `setProfileAccessLevels` apply to the calls of `sync` and
 * `syncAsUpdate` that follow; a preference that was never set leaves the contacts unchanged. A call with `false` is queued. The
 * next call of `syncNow`, or a call with `true`, writes the whole queue in one transaction.
 */
export class ContactSynchronizer<L extends string = never> {
  readonly #kith: Kith<AnyFields, L>
  readonly #phoneNumbers: PhoneNumbersOption | undefined
  readonly #report: ((progress: SyncProgress) => void) | undefined
  readonly #reportsDuplicates: boolean
  #preferences: SynchronizerPreferences = {}
  /** Users whom this instance began to follow. */
  readonly #followed = new Set<string>()
  #queue: Batch[] = []

  constructor(kith: Kith<AnyFields, L>, options: ContactSynchronizerOptions = {}) {
    if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
    this.#kith = kith
    this.#phoneNumbers = checkPhoneNumbers(options)
    const { onProgress, reportDuplicates = false } = options
    if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
    this.#report = onProgress
    this.#reportsDuplicates = checkBoolean(reportDuplicates, 'reportDuplicates')
  }

  /**
   * Sets whether the contacts of later calls are followed. Returns this synchronizer.
   *
   * @param isSubscribed - `true` to follow them, `false` to end the follow and decline them.
   */
  subscribe(isSubscribed: boolean): this {
    const preference = { isSubscribed: checkBoolean(isSubscribed, 'isSubscribed'), endsOwnFollows: false }
    this.#preferences = { ...this.#preferences, ...preference }
    return this
  }

  /**
   * Sets the levels that the contacts of later calls may see, each by its number or its name. `null` removes contacts and
   * grants, and ends follows that this instance began, until `subscribe` is called again. Returns this synchronizer.
   *
   * @param levels - The levels, or `null`.
   */
  setProfileAccessLevels(levels: readonly Level<L>[] | null): this {
    const { levelNames } = coreOf(this.#kith).shown
    this.#preferences = {
      ...this.#preferences,
      levels: checkLevels(levels, levelNames),
      endsOwnFollows: levels === null,
    }
    return this
  }

  /**
   * Overwrites the levels and the subscription of these contacts, if these preferences were set. Changes no other contact [R5].
   *
   * @param addresses - User ids, or phone numbers with the option `phoneNumbers`.
   * @param syncNow - `false` queues the call.
   * @returns Resolves to counts and the rejected addresses when the changes are on this device's disk. A queued call resolves
   *   to the rejected addresses, with counts of 0.
   * @throws KithError As `syncNow` does; the queue is then kept. `TypeError` for a region that does not exist.
   */
  async sync(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSync, addresses, syncNow)
  }

  /**
   * Adds contacts, levels and subscriptions, and removes nothing [R5].
   *
   * @param addresses - User ids, or phone numbers with the option `phoneNumbers`.
   * @param syncNow - `false` queues the call.
   * @returns Resolves to counts and the rejected addresses when the changes are on this device's disk. A queued call resolves
   *   to the rejected addresses, with counts of 0.
   * @throws KithError As `syncNow` does; the queue is then kept. `TypeError` for a region that does not exist.
   */
  async syncAsUpdate(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSyncAsUpdate, addresses, syncNow)
  }

  /**
   * Writes the queue in one transaction. Resolves when it is on this device's disk, also offline. Rejects with
   * `roster-too-large` when a limit is exceeded; nothing has then changed, and the queue is kept [D5].
   */
  async syncNow(): Promise<SyncResult> {
    const batches = this.#queue
    this.#queue = []
    try {
      const read = await Promise.all(batches.map(async batch => ({ ...batch, addresses: await batch.addresses })))
      const counts = { added: 0, updated: 0, unchanged: 0 }
      const core = coreOf(this.#kith)
      const total = new Set(read.flatMap(({ addresses }) => addresses.users)).size
      this.#report?.({ stage: 'writing', done: 0, total })
      let made: readonly KeyChange[] = []
      let turned: ReadonlySet<string> = new Set()
      let isTurningBack = false
      const plan = (roster: FlatMaps): readonly KeyChange[] => {
        const { changes, ...planned } = planAll(roster, read, this.#followed)
        Object.assign(counts, planned)
        return changes
      }
      await edit(core.store, 'roster', plan, async (work, changes) => {
        made = changes
        const again = turnedAgain(work, changes)
        turned = usersOf(again)
        isTurningBack = again.length > 0 && (await countTurned(work, again))
      })
      this.#noteFollows(made)
      if (isTurningBack) core.shown.failed(turningBack([...turned]))
      this.#report?.({ stage: 'writing', done: total, total })
      const found = this.#found(read.map(({ addresses }) => addresses))
      return { ...counts, ...(turned.size > 0 && { turned: turned.size }), ...found }
    } catch (error) {
      this.#queue = [...batches, ...this.#queue]
      throw error
    }
  }

  #noteFollows(changes: readonly KeyChange[]): void {
    for (const { root, key, value } of changes) {
      if (root !== 'subscriptions') continue
      if (value === undefined) this.#followed.delete(key)
      else this.#followed.add(key)
    }
  }

  async #enqueue(plan: typeof planSync, inputs: readonly string[], syncNow: boolean): Promise<SyncResult> {
    checkTexts(inputs, 'addresses')
    checkBoolean(syncNow, 'syncNow')
    const report = this.#report && ((done: number, total: number) => this.#report?.({ stage: 'reading', done, total }))
    const addresses = readAddresses([...inputs], this.#kith.user, this.#phoneNumbers, report)
    const batch: Batch = { plan, addresses, preferences: this.#preferences }
    this.#queue.push(batch)
    try {
      const read = await addresses
      if (!syncNow) return { added: 0, updated: 0, unchanged: 0, ...this.#found([read]) }
    } catch (error) {
      this.#queue = this.#queue.filter(other => other !== batch)
      throw error
    }
    return this.syncNow()
  }

  #found(read: readonly Addresses[]): Pick<SyncResult, 'invalid' | 'duplicates'> {
    const invalid = read.flatMap(addresses => addresses.invalid)
    if (!this.#reportsDuplicates) return { invalid }
    return { invalid, duplicates: read.flatMap(addresses => addresses.duplicates) }
  }
}

interface ReadBatch {
  plan: typeof planSync
  addresses: Addresses
  preferences: SynchronizerPreferences
}

/**
 * Plans all batches as one change. A later batch builds on the earlier ones, and each contact is counted once. `followed`:
 * the users whom the synchronizer began to follow.
 */
function planAll(roster: FlatMaps, batches: readonly ReadBatch[], followed: ReadonlySet<string>): SyncPlan {
  const parts = batches.flatMap(({ plan, addresses: { users }, preferences: { endsOwnFollows, ...preferences } }) => {
    if (!endsOwnFollows || !preferences.isSubscribed || plan !== planSync) return [{ plan, users, preferences }]
    const isOwn = (user: string): boolean => followed.has(user)
    const own = { plan, users: users.filter(isOwn), preferences: { ...preferences, endsFollow: true } }
    return [own, { plan, users: users.filter(user => !isOwn(user)), preferences }].filter(part => part.users.length > 0)
  })
  const [first] = parts
  if (first && parts.length === 1) return first.plan(roster, first.users, first.preferences)
  const changes: KeyChange[] = []
  for (const { plan, users, preferences } of parts) {
    const next = plan(overlay(roster, changes), users, preferences)
    for (const change of next.changes) changes.push(change)
  }
  const users = new Set(batches.flatMap(batch => batch.addresses.users))
  return { changes: netChanges(roster, changes), ...countOutcomes(roster, overlay(roster, changes), users) }
}

function turningBack(addresses: readonly string[]): KithError {
  const message =
    'Calls of sync keep setting what is taken away again, as by another version of the app or on another device: ' +
    'let one of them decide'
  return new KithError('sync-turns-back', message, { addresses })
}

function countOutcomes(before: FlatMaps, after: FlatMaps, users: ReadonlySet<string>): Omit<SyncPlan, 'changes'> {
  const counts = { added: 0, updated: 0, unchanged: 0 }
  const factsAfter = contactFacts(after, users)
  for (const [user, facts] of contactFacts(before, users)) {
    if (JSON.stringify(facts) === JSON.stringify(factsAfter.get(user))) counts.unchanged++
    else if (facts.isContact || facts.levels.length > 0) counts.updated++
    else counts.added++
  }
  return counts
}

/** Returns the last change of each key, without the changes that leave the value as it was [R3]. */
function netChanges(roster: FlatMaps, changes: readonly KeyChange[]): KeyChange[] {
  const last = new Map(changes.map(change => [`${change.root} ${change.key}`, change]))
  return [...last.values()].filter(({ root, key, value }) => !sameValue(roster.get(root, key), value))
}
