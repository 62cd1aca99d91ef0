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
import { type Addresses, type InvalidAddress, type PhoneNumbersOption, readAddresses } from './addresses.ts'
import { checkBoolean, checkIsObject, checkLevels } from './arguments.ts'
import { coreOf } from './core-of.ts'
import { Kith } from './kith.ts'

export interface ContactSynchronizerOptions {
  /** Addresses are phone numbers: read as international; as national too when a region is given, such as `GB`. */
  phoneNumbers?: PhoneNumbersOption
}

export interface SyncResult {
  /** Contacts that were none before. */
  added: number
  /** Contacts of whom something changed. */
  updated: number
  unchanged: number
  /** Addresses that were not taken, and why. */
  invalid: InvalidAddress[]
}

interface Batch {
  plan: typeof planSync
  addresses: Promise<Addresses>
  preferences: ContactPreferences
}

/**
 * Brings a phone book into the roster, in bulk. Options hold for the calls that follow them; what was never set is left
 * alone. Calls with `false` are queued, and written by the next `syncNow` (or call with `true`) in one transaction.
 */
export class ContactSynchronizer {
  readonly #kith: Kith
  readonly #phoneNumbers: PhoneNumbersOption | undefined
  #preferences: ContactPreferences = {}
  #queue: Batch[] = []

  constructor(kith: Kith, options: ContactSynchronizerOptions = {}) {
    if (!(kith instanceof Kith)) throw new TypeError('A ContactSynchronizer takes a Kith')
    this.#kith = kith
    this.#phoneNumbers = checkPhoneNumbers(options)
  }

  /** Whether the contacts of the calls that follow are followed. */
  subscribe(isSubscribed: boolean): void {
    this.#preferences = { ...this.#preferences, isSubscribed: checkBoolean(isSubscribed, 'The subscription') }
  }

  /** The levels that the contacts of the calls that follow may see. `null` withdraws contacts and grants. */
  setProfileAccessLevels(levels: readonly number[] | null): void {
    this.#preferences = { ...this.#preferences, levels: checkLevels(levels) }
  }

  /** Overwrites these contacts' levels and subscription, as far as they were set; touches no other contact [R5]. */
  async sync(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSync, addresses, syncNow)
  }

  /** Only adds: contacts, levels, subscriptions [R5]. */
  async syncAsUpdate(addresses: readonly string[], syncNow = true): Promise<SyncResult> {
    return this.#enqueue(planSyncAsUpdate, addresses, syncNow)
  }

  /**
   * Writes all that is queued in one transaction. Resolves when it is on this device's disk, offline too; rejects with a
   * KithError when it is beyond a limit (`roster-too-large`): then nothing has changed and the queue is as it was [D5].
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
      throw new TypeError('Addresses are an array of strings')
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

/** One plan for all batches; a later one builds on what the earlier ones leave, and each contact counts once. */
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

/** The last change of each key, without those that leave it as it was [R3]. */
function netChanges(roster: FlatMaps, changes: readonly KeyChange[]): KeyChange[] {
  const last = new Map(changes.map(change => [`${change.root} ${change.key}`, change]))
  return [...last.values()].filter(({ root, key, value }) => !sameValue(roster.get(root, key), value))
}

function checkPhoneNumbers(options: ContactSynchronizerOptions): PhoneNumbersOption | undefined {
  checkIsObject(options)
  const { phoneNumbers } = options as { phoneNumbers?: unknown }
  if (phoneNumbers === undefined) return undefined
  if (phoneNumbers === true) return true
  const region = (phoneNumbers as { region?: unknown } | null)?.region
  if (typeof region === 'string' && /^[A-Z]{2}$/.test(region)) return { region }
  throw new TypeError("phoneNumbers is true or { region: 'GB' }")
}
