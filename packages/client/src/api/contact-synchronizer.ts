import {
  type ContactFacts,
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
import { tell } from '../signal.ts'
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

type Counts = Pick<SyncResult, 'added' | 'updated' | 'unchanged'>

const noCounts: Counts = { added: 0, updated: 0, unchanged: 0 }

interface Batch {
  plan: typeof planSync
  addresses: Promise<Addresses>
  preferences: SynchronizerPreferences
}

interface SynchronizerPreferences extends ContactPreferences {
  /** `setProfileAccessLevels(null)` was called after `subscribe(true)`: `sync` ends this instance's follows and begins none. */
  endsOwnFollows?: boolean
}

/**
 * Brings a phone book into the roster. `subscribe` and `setProfileAccessLevels` apply to the calls of `sync` and
 * `syncAsUpdate` that follow; a preference that was never set leaves the contacts unchanged. A call with `false` is queued. The
 * next call of `syncNow`, or a call with `true`, writes the whole queue in one transaction. Calls that write do so one after the
 * other, in the order of the calls.
 */
export class ContactSynchronizer<L extends string = never> {
  readonly #kith: Kith<AnyFields, L>
  readonly #phoneNumbers: PhoneNumbersOption | undefined
  readonly #report: ((progress: SyncProgress) => void) | undefined
  readonly #reportsDuplicates: boolean
  #preferences: SynchronizerPreferences = {}
  /** Users whom this instance began to follow. */
  #followed: ReadonlySet<string> = new Set()
  /** The queued calls, in their order. A call leaves the queue when it is on the disk. */
  readonly #queue = new Set<Batch>()
  /** The last call that writes; calls write one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(kith: Kith<AnyFields, L>, options: ContactSynchronizerOptions = {}) {
    if (!(kith instanceof Kith)) throw wrong('kith', 'the result of openKith', kith)
    this.#kith = kith
    this.#phoneNumbers = checkPhoneNumbers(options)
    const { onProgress, reportDuplicates = false } = options
    if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
    this.#report = onProgress && (progress => tell(onProgress, progress))
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
   * grants. After `subscribe(true)`, `sync` with `null` ends follows that this instance began, and begins none, until
   * `subscribe` is called again. Returns this synchronizer.
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
   * @throws KithError As `syncNow` does; the queue is then kept, without this call. `TypeError` for a region that does not exist.
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
   * @throws KithError As `syncNow` does; the queue is then kept, without this call. `TypeError` for a region that does not exist.
   */
  async syncAsUpdate(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSyncAsUpdate, addresses, syncNow)
  }

  /**
   * Writes the queue in one transaction. Resolves when it is on this device's disk, also offline. Rejects with
   * `roster-too-large` when a limit is exceeded; nothing has then changed, and the queue is kept [D5].
   */
  async syncNow(): Promise<SyncResult> {
    return this.#inTurn([])
  }

  /** Writes what is queued now, and then `own`, after all earlier calls have ended. */
  #inTurn(own: readonly Batch[]): Promise<SyncResult> {
    const queued = [...this.#queue]
    const result = this.#last.then(async () => {
      // A queued call whose addresses could not be read has left the queue. An earlier call may have written the others.
      await Promise.allSettled(queued.map(({ addresses }) => addresses))
      return this.#write([...queued.filter(batch => this.#queue.has(batch)), ...own])
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  async #write(batches: readonly Batch[]): Promise<SyncResult> {
    const read = await Promise.all(batches.map(async batch => ({ ...batch, addresses: await batch.addresses })))
    const core = coreOf(this.#kith)
    const users = new Set(read.flatMap(({ addresses }) => addresses.users))
    const total = users.size
    this.#report?.({ stage: 'writing', done: 0, total })
    const counts = { ...noCounts }
    let own = new Set<string>()
    let turned: ReadonlySet<string> = new Set()
    let isTurningBack = false
    const plan = (roster: FlatMaps): readonly KeyChange[] => {
      own = new Set(this.#followed)
      const { changes, ...planned } = planAll(roster, read, users, own)
      Object.assign(counts, planned)
      return changes
    }
    await edit(core.store, 'roster', plan, async (work, changes) => {
      const again = turnedAgain(work, changes)
      turned = usersOf(again)
      isTurningBack = again.length > 0 && (await countTurned(work, again))
    })
    this.#followed = own
    for (const batch of batches) this.#queue.delete(batch)
    if (isTurningBack) core.shown.failed(turningBack([...turned]))
    this.#report?.({ stage: 'writing', done: total, total })
    const found = this.#found(read.map(({ addresses }) => addresses))
    return { ...counts, ...(turned.size > 0 && { turned: turned.size }), ...found }
  }

  async #enqueue(plan: typeof planSync, inputs: readonly string[], syncNow: boolean): Promise<SyncResult> {
    checkTexts(inputs, 'addresses')
    checkBoolean(syncNow, 'syncNow')
    const report = this.#report && ((done: number, total: number) => this.#report?.({ stage: 'reading', done, total }))
    const addresses = readAddresses([...inputs], this.#kith.user, this.#phoneNumbers, report)
    const batch: Batch = { plan, addresses, preferences: this.#preferences }
    addresses.catch(() => this.#queue.delete(batch))
    if (syncNow) return this.#inTurn([batch])
    this.#queue.add(batch)
    return { ...noCounts, ...this.#found([await addresses]) }
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
 * Plans all batches as one change. A later batch builds on the earlier ones, and each of their `users` is counted once. `own`:
 * the users whom the synchronizer began to follow; it is brought up to date.
 */
function planAll(
  roster: FlatMaps,
  batches: readonly ReadBatch[],
  users: ReadonlySet<string>,
  own: Set<string>,
): SyncPlan {
  const changes: KeyChange[] = []
  for (const { plan, addresses, preferences } of batches) {
    const { endsOwnFollows, ...wanted } = preferences
    const endsFollowsOf = endsOwnFollows && wanted.isSubscribed ? own : undefined
    const next = plan(overlay(roster, changes), addresses.users, { ...wanted, endsFollowsOf })
    for (const change of next.changes) {
      changes.push(change)
      if (change.root !== 'subscriptions') continue
      if (change.value === undefined) own.delete(change.key)
      else own.add(change.key)
    }
    if (batches.length === 1) return next
  }
  return { changes: netChanges(roster, changes), ...countOutcomes(roster, overlay(roster, changes), users) }
}

function turningBack(addresses: readonly string[]): KithError {
  const message =
    'Calls of sync keep setting what another version of the app, or another device, takes away: let one of them decide'
  return new KithError('sync-turns-back', message, { addresses })
}

function countOutcomes(before: FlatMaps, after: FlatMaps, users: ReadonlySet<string>): Counts {
  const counts = { ...noCounts }
  const factsAfter = contactFacts(after, users)
  for (const [user, facts] of contactFacts(before, users)) {
    const now = factsAfter.get(user) as ContactFacts
    if (JSON.stringify(facts) === JSON.stringify(now)) counts.unchanged++
    else if (!isContact(facts) && isContact(now)) counts.added++
    else counts.updated++
  }
  return counts
}

function isContact({ isContact, levels }: ContactFacts): boolean {
  return isContact || levels.length > 0
}

/** Returns the last change of each key, without the changes that leave the value as it was [R3]. */
function netChanges(roster: FlatMaps, changes: readonly KeyChange[]): KeyChange[] {
  const last = new Map(changes.map(change => [`${change.root} ${change.key}`, change]))
  return [...last.values()].filter(({ root, key, value }) => !sameValue(roster.get(root, key), value))
}
