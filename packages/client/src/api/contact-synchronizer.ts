import {
  type ContactPreferences,
  contactFacts,
  type FlatMaps,
  type KeyChange,
  planSync,
  planSyncAsUpdate,
  type SyncPlan,
  sameValue,
} from '@kith/shared'
import { edit } from '../database/edit.ts'
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
  /** The addresses that were not accepted, each with the reason. */
  invalid: InvalidAddress[]
}

interface Batch {
  plan: typeof planSync
  addresses: Promise<Addresses>
  preferences: ContactPreferences
}

/**
 * Brings a phone book into the roster. `subscribe` and `setProfileAccessLevels` apply to the calls of `sync` and
 * `syncAsUpdate` that follow; a preference that was never set leaves the contacts as they are. A call with `false` is queued.
 * The next call of `syncNow`, or a call with `true`, writes the whole queue in one transaction.
 */
export class ContactSynchronizer {
  readonly #kith: Kith
  readonly #phoneNumbers: PhoneNumbersOption | undefined
  #preferences: ContactPreferences = {}
  #queue: Batch[] = []

  constructor(kith: Kith, options: ContactSynchronizerOptions = {}) {
    if (!(kith instanceof Kith)) throw new TypeError('Pass the result of openKith to ContactSynchronizer')
    this.#kith = kith
    this.#phoneNumbers = checkPhoneNumbers(options)
  }

  /** Sets whether the contacts of later calls are followed. */
  subscribe(isSubscribed: boolean): void {
    this.#preferences = { ...this.#preferences, isSubscribed: checkBoolean(isSubscribed, 'The subscription') }
  }

  /** Sets the levels that the contacts of later calls may see. `null` removes contacts and grants. */
  setProfileAccessLevels(levels: readonly number[] | null): void {
    this.#preferences = { ...this.#preferences, levels: checkLevels(levels) }
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
      await edit(coreOf(this.#kith).store, 'roster', roster => {
        const plan = planAll(roster, read)
        Object.assign(counts, { added: plan.added, updated: plan.updated, unchanged: plan.unchanged })
        return plan.changes
      })
      return { ...counts, invalid: read.flatMap(batch => batch.addresses.invalid) }
    } catch (error) {
      this.#queue = [...batches, ...this.#queue]
      throw error
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
  preferences: ContactPreferences
}

/** Plans all batches as one change. A later batch builds on the earlier ones, and each contact is counted once. */
function planAll(roster: FlatMaps, batches: readonly ReadBatch[]): SyncPlan {
  const [first] = batches
  if (first && batches.length === 1) return first.plan(roster, first.addresses.users, first.preferences)
  const changes: KeyChange[] = []
  for (const { plan, addresses, preferences } of batches) {
    const next = plan(overlay(roster, changes), addresses.users, preferences)
    for (const change of next.changes) changes.push(change)
  }
  const users = new Set(batches.flatMap(batch => batch.addresses.users))
  return { changes: netChanges(roster, changes), ...countOutcomes(roster, overlay(roster, changes), users) }
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
