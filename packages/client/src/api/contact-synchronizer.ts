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
  type InvalidAddress,
  type PhoneNumbersOption,
  readAddresses,
} from './addresses.ts'
import { checkBoolean, checkLevels } from './arguments.ts'
import { coreOf } from './core-of.ts'
import { Kith } from './kith.ts'

export interface ContactSynchronizerOptions {
  /** Reads addresses as phone numbers in international form, and with a region such as `GB` in national form too. */
  phoneNumbers?: PhoneNumbersOption
}

export interface SyncResult {
  /** Users who were not contacts before. */
  added: number
  /** Contacts whose levels or subscription changed. */
  updated: number
  unchanged: number
  /**
   * Of the added and updated ones, those for whom this call set again what had been taken away since it was set; absent when
   * there is none. If the same ones are turned again and again, `sync-turns-back` is reported once.
   */
  turned?: number
  /** The addresses that were not accepted, each with the reason. */
  invalid: InvalidAddress[]
}

interface Batch {
  plan: typeof planSync
  addresses: Promise<Addresses>
  preferences: SynchronizerPreferences
}

interface SynchronizerPreferences extends ContactPreferences {
  /** `setProfileAccessLevels(null)` was called after `subscribe(true)`: the follows that were made by that end, too. */
  endsOwnFollows?: boolean
}

/**
 * Brings a phone book into the roster. `subscribe` and `setProfileAccessLevels` apply to the calls of `sync` and
 * `syncAsUpdate` that follow; a preference that was never set leaves the contacts as they are. A call with `false` is queued.
 * The next call of `syncNow`, or a call with `true`, writes the whole queue in one transaction.
 */
export class ContactSynchronizer {
  readonly #kith: Kith
  readonly #phoneNumbers: PhoneNumbersOption | undefined
  #preferences: SynchronizerPreferences = {}
  /** Users whom this instance has begun to follow. */
  readonly #followed = new Set<string>()
  #queue: Batch[] = []

  constructor(kith: Kith, options: ContactSynchronizerOptions = {}) {
    if (!(kith instanceof Kith)) throw new TypeError('Pass the result of openKith to ContactSynchronizer')
    this.#kith = kith
    this.#phoneNumbers = checkPhoneNumbers(options)
  }

  /** Sets whether the contacts of later calls are followed. */
  subscribe(isSubscribed: boolean): void {
    const preference = { isSubscribed: checkBoolean(isSubscribed, 'The subscription'), endsOwnFollows: false }
    this.#preferences = { ...this.#preferences, ...preference }
  }

  /**
   * Sets the levels that the contacts of later calls may see. `null` removes contacts and grants, and ends follows that this
   * instance has made, until `subscribe` is called again.
   */
  setProfileAccessLevels(levels: readonly number[] | null): void {
    this.#preferences = { ...this.#preferences, levels: checkLevels(levels), endsOwnFollows: levels === null }
  }

  /** Overwrites the levels and the subscription of these contacts, as far as they were set. Changes no other contact [R5]. */
  async sync(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSync, addresses, syncNow)
  }

  /** Adds contacts, levels and subscriptions, and removes nothing [R5]. */
  async syncAsUpdate(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSyncAsUpdate, addresses, syncNow)
  }

  /**
   * Writes the queue in one transaction. Resolves when it is on this device's disk, also offline. Rejects with
   * `roster-too-large` when a limit is exceeded: nothing has changed then, and the queue is kept [D5].
   */
  async syncNow(): Promise<SyncResult> {
    const batches = this.#queue
    this.#queue = []
    try {
      const read = await Promise.all(batches.map(async batch => ({ ...batch, addresses: await batch.addresses })))
      const counts = { added: 0, updated: 0, unchanged: 0 }
      const core = coreOf(this.#kith)
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
      const invalid = read.flatMap(batch => batch.addresses.invalid)
      return { ...counts, ...(turned.size > 0 && { turned: turned.size }), invalid }
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
    if (!Array.isArray(inputs) || !inputs.every(input => typeof input === 'string')) {
      throw new TypeError('Addresses must be an array of strings')
    }
    checkBoolean(syncNow, 'syncNow')
    const addresses = readAddresses([...inputs], this.#kith.user, this.#phoneNumbers)
    const batch: Batch = { plan, addresses, preferences: this.#preferences }
    this.#queue.push(batch)
    try {
      const { invalid } = await addresses
      if (!syncNow) return { added: 0, updated: 0, unchanged: 0, invalid }
    } catch (error) {
      this.#queue = this.#queue.filter(other => other !== batch)
      throw error
    }
    return this.syncNow()
  }
}

interface ReadBatch {
  plan: typeof planSync
  addresses: Addresses
  preferences: SynchronizerPreferences
}

/**
 * Plans all batches as one change. A later batch builds on the earlier ones, and each contact is counted once. `followed`:
 * whom the synchronizer has begun to follow.
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
