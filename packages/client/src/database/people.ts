import {
  type ContactFacts,
  contactFacts,
  type Fields,
  type FlatMaps,
  factsOf,
  isUnconfirmed,
  mergeLevels,
  sameValue,
} from '@kith/shared'
import { type Difference, fieldsDigest } from '@kith/shared/wire'
import { sameFields } from '../fields.ts'
import type { Tables } from './contract.ts'
import { readMeta, writeMeta } from './meta.ts'
import { factColumns, isWorthKeeping, noReplica, stranger } from './person-rows.ts'
import type { Hands, PersonRow, ReplicaRow } from './schema.ts'

/** A change of a user's profile that is reported to the app's listeners. */
export type Happening =
  | { type: 'profile'; id: string }
  | { type: 'joined'; id: string }
  | { type: 'changedHands'; id: string }
  | { type: 'withdrawn'; id: string; levels: number[] }

/**
 * The rows of some users and their replicas, changed in memory and written back together. Load the affected users first;
 * everything after that is synchronous until `store`.
 */
export class People {
  readonly happenings: Happening[] = []
  readonly #db: Tables
  readonly #rows = new Map<string, PersonRow>()
  readonly #replicas = new Map<string, ReplicaRow>()
  readonly #touched = new Set<string>()
  readonly #touchedReplicas = new Set<string>()
  readonly #dropped = new Set<string>()
  readonly #settled = new Map<string, number>()
  #hands: Map<string, Hands> | undefined
  #isHandsChanged = false

  constructor(db: Tables) {
    this.#db = db
  }

  async load(ids: Iterable<string>): Promise<void> {
    const missing = [...new Set(ids)].filter(id => !this.#rows.has(id))
    if (missing.length === 0) return
    this.#hands ??= new Map(await readMeta(this.#db, 'hands'))
    const [rows, replicas] = [await this.#db.people.bulkGet(missing), await this.#db.replicas.bulkGet(missing)]
    missing.forEach((id, index) => {
      this.#rows.set(id, { ...stranger(id), ...rows[index] })
      this.#replicas.set(id, replicas[index] ?? noReplica(id))
    })
  }

  /** Updates the rows of loaded users from the roster. Replicas of declined or blocked users are withdrawn immediately [V7]. */
  setFacts(roster: FlatMaps, ids: Iterable<string>): void {
    for (const [id, facts] of contactFacts(roster, ids)) {
      const row = this.#row(id)
      // A user declined on one device and concurrently followed on another counts as followed, for the server too.
      const isDeclined = facts.isDeclined && !facts.isSubscribed
      const wasDeclined = row.isDeclined && !row.isSubscribed
      const isNewlyShut = (facts.isBlocked && !row.isBlocked) || (isDeclined && !wasDeclined && !row.isBlocked)
      const isOpenedAgain = row.isBlocked && !facts.isBlocked
      if (isNewlyShut) this.#drop(id)
      Object.assign(row, factColumns(facts), { label: (roster.get('labels', id) ?? '') as string })
      if (isOpenedAgain) this.#showAgain(id)
      this.#showHands(row, facts)
    }
  }

  /** Sets the incarnation that the roster must confirm, as the server named it. Empty: all the roster's entries count [D7]. */
  setHands(roster: FlatMaps, id: string, incarnation: string): void {
    const hands = this.#handsOf()
    const known = hands.get(id)
    if ((known?.incarnation ?? '') === incarnation && !known?.isOld) return
    if (incarnation === '') hands.delete(id)
    else hands.set(id, { incarnation, isTold: known?.isTold === true && known.incarnation === incarnation })
    this.#isHandsChanged = true
    this.#showHands(this.#row(id), factsOf(roster, id))
  }

  /** The feed begins from the start: ids that it does not repeat are dropped by {@link dropOldHands}. */
  async ageHands(): Promise<void> {
    this.#hands ??= new Map(await readMeta(this.#db, 'hands'))
    for (const [id, hands] of this.#hands) this.#hands.set(id, { ...hands, isOld: true })
    this.#isHandsChanged ||= this.#hands.size > 0
  }

  async dropOldHands(roster: FlatMaps): Promise<void> {
    this.#hands ??= new Map(await readMeta(this.#db, 'hands'))
    const ids = [...this.#hands].filter(([, { isOld }]) => isOld).map(([id]) => id)
    await this.load(ids)
    for (const id of ids) this.setHands(roster, id, '')
  }

  /** All ids that have changed hands; `undefined` if nothing of it changed. */
  get changedHands(): ReadonlyMap<string, Hands> | undefined {
    return this.#isHandsChanged ? this.#hands : undefined
  }

  /** This device's drops of a user are in step with the server again: all drops, or those up to `drop`. */
  settleDrop(id: string, drop: number = Infinity): void {
    this.#settled.set(id, drop)
  }

  /** Sets the levels that this viewer gets; replicas of other levels are dropped [V7]. */
  setAccess(id: string, levels: readonly number[], isWaiting: boolean): void {
    const [row, replica] = [this.#row(id), this.#replica(id)]
    const isKept = ([level]: [number, Fields]): boolean => levels.includes(level)
    const held = [...replica.levels, ...replica.hidden]
    const dropped = held.filter(entry => !isKept(entry)).map(([level]) => level)
    replica.access = [...levels]
    replica.levels = replica.levels.filter(isKept)
    replica.hidden = replica.hidden.filter(isKept)
    row.isWaiting = isWaiting
    this.#show(row, replica)
    if (dropped.length > 0 && !row.isBlocked) this.#withdrawn(id, dropped)
  }

  /** Sets the fields of one level; without fields, the level is empty. */
  setLevel(id: string, level: number, fields: Fields): void {
    const [row, replica] = [this.#row(id), this.#replica(id)]
    const before = [...replica.levels, ...replica.hidden].find(([other]) => other === level)?.[1] ?? {}
    const isOther = ([other]: [number, Fields]): boolean => other !== level
    replica.levels = replica.levels.filter(isOther)
    replica.hidden = replica.hidden.filter(isOther)
    if (Object.keys(fields).length > 0) replica.levels.push([level, fields])
    replica.levels.sort(([a], [b]) => a - b)
    this.#show(row, replica)
    if (!row.isBlocked && !sameFields(before, fields)) this.happenings.push({ type: 'profile', id })
  }

  /** Applies a difference to a level on this device. Returns `false` if it is for another state of the level. */
  changeLevel({ owner, level, fields, removed, digest }: Difference): boolean {
    const held = this.#replica(owner).levels.find(([other]) => other === level)?.[1]
    const next = { ...held, ...fields }
    for (const name of removed) delete next[name]
    if (!sameValue(fieldsDigest(next), digest)) return false
    this.setLevel(owner, level, next)
    return true
  }

  /**
   * Sets whether the replica ends with the session, as the server says; this is also the case while a follow is unsent [V7].
   */
  setFetched(id: string, isFetched: boolean): void {
    this.#replica(id).isFetched = isFetched ? 1 : 0
  }

  /** Hides the replica, because the feed begins from the start. */
  hide(id: string): void {
    const [row, replica] = [this.#row(id), this.#replica(id)]
    replica.hidden = [...replica.hidden, ...replica.levels]
    replica.levels = []
    replica.access = []
    this.#show(row, replica)
  }

  /** Deletes the levels that were not repeated. An event reports this, together with the row. */
  dropHidden(id: string): void {
    const [row, replica] = [this.#row(id), this.#replica(id)]
    const [gone, emptied] = [[] as number[], [] as number[]]
    for (const [level] of replica.hidden) (replica.access.includes(level) ? emptied : gone).push(level)
    replica.hidden = []
    this.#show(row, replica)
    if (row.isBlocked) return
    if (gone.length > 0) this.#withdrawn(id, gone)
    if (emptied.length > 0) this.happenings.push({ type: 'profile', id })
  }

  /** Writes the changes back. Resolves to the new rows, `undefined` for users of whom nothing is left. */
  async store(): Promise<Map<string, PersonRow | undefined>> {
    await this.#storeDrops()
    if (this.#isHandsChanged) await writeMeta(this.#db, 'hands', this.#handsOf())
    const [rows, replicas] = [[...this.#touched], [...this.#touchedReplicas]]
    const changed = new Map(rows.map(id => [id, this.#keptRow(id)] as const))
    const kept = [...changed.values()].filter(row => row !== undefined)
    const keptReplicas = replicas.map(id => this.#replicas.get(id) as ReplicaRow).filter(isWorthKeeping)
    if (kept.length > 0) await this.#db.people.bulkPut(kept)
    if (kept.length < rows.length) await this.#db.people.bulkDelete(rows.filter(id => !changed.get(id)))
    if (keptReplicas.length > 0) await this.#db.replicas.bulkPut(keptReplicas)
    if (keptReplicas.length < replicas.length) {
      const keptIds = new Set(keptReplicas.map(row => row.owner))
      await this.#db.replicas.bulkDelete(replicas.filter(id => !keptIds.has(id)))
    }
    return changed
  }

  /** The event is emitted once per incarnation. */
  #showHands(row: PersonRow, facts: ContactFacts): void {
    const hands = this.#handsOf().get(row.id)
    row.hasChangedHands = isUnconfirmed(facts, hands?.incarnation ?? '')
    if (!hands || hands.isTold || !row.hasChangedHands) return
    this.#handsOf().set(row.id, { ...hands, isTold: true })
    this.#isHandsChanged = true
    this.happenings.push({ type: 'changedHands', id: row.id })
  }

  #handsOf(): Map<string, Hands> {
    this.#hands ??= new Map()
    return this.#hands
  }

  #drop(id: string): void {
    const replica = this.#replica(id)
    if (replica.levels.length > 0 || replica.hidden.length > 0 || replica.access.length > 0) this.#dropped.add(id)
    this.setAccess(id, [], false)
  }

  async #storeDrops(): Promise<void> {
    if (this.#dropped.size === 0 && this.#settled.size === 0) return
    const { next, owners } = (await readMeta(this.#db, 'dropped')) ?? { next: 1, owners: new Map<string, number>() }
    for (const [id, drop] of this.#settled) if (drop >= (owners.get(id) ?? 0)) owners.delete(id)
    for (const id of this.#dropped) owners.set(id, next)
    await writeMeta(this.#db, 'dropped', { next: next + 1, owners })
  }

  #row(id: string): PersonRow {
    this.#touched.add(id)
    return this.#rows.get(id) as PersonRow
  }

  #replica(id: string): ReplicaRow {
    this.#touchedReplicas.add(id)
    return this.#replicas.get(id) as ReplicaRow
  }

  /**
   * Levels that arrive before the server has received a block stay hidden, until the server withdraws them or the block is
   * removed [V1].
   */
  #show(row: PersonRow, replica: ReplicaRow): void {
    row.fields = row.isBlocked ? {} : mergeLevels(new Map(replica.levels))
    row.hasJoined = !row.isBlocked && replica.access.length > 0
  }

  /** A block was removed. */
  #showAgain(id: string): void {
    const [row, replica] = [this.#row(id), this.#replica(id)]
    this.#show(row, replica)
    if (replica.levels.length > 0) this.happenings.push({ type: 'profile', id })
  }

  #withdrawn(id: string, levels: number[]): void {
    this.happenings.push({ type: 'withdrawn', id, levels: levels.sort((a, b) => a - b) })
  }

  #keptRow(id: string): PersonRow | undefined {
    const row = this.#rows.get(id) as PersonRow
    const isKnown = row.isListed || row.isDeclined || row.label !== '' || row.hasJoined || row.isWaiting
    return isKnown || isWorthKeeping(this.#replicas.get(id) as ReplicaRow) ? row : undefined
  }
}
