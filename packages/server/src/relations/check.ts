import {
  type ContactFacts,
  contactFacts,
  flatMapsOf,
  gives,
  isFounder,
  namedUsers,
  namesRetired,
  profileFields,
  retiredOf,
  rosterSettings,
} from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { mustBeFolded, StoredDocument } from '../documents/stored-document.ts'
import type { Incarnations } from './incarnations.ts'
import { isLapsed } from './lapsed.ts'
import type { Pair, Records } from './record-store.ts'
import {
  type DocumentName,
  type LevelRecord,
  noFacts,
  type Relation,
  type Side,
  saysNothing,
  type UserRecord,
} from './records.ts'
import { sameItems } from './same-items.ts'
import { isUnaskedCandidate, shownLevels } from './standing.ts'
import type { View } from './views.ts'

/** A whole store, as read by {@link checkStore}. */
export interface CheckedStore {
  /** The naming of its accounts' incarnations. `undefined` for a store that was never started. */
  readonly incarnations: Incarnations | undefined
  /** When records that no device needs were last removed. `undefined` for a store in which they were never removed. */
  readonly lapsing: LastLapsing | undefined
  /** The ids of all users who have a record or are named in one. An id may occur several times. */
  ids(): AsyncIterable<string>
  /** Runs `work` on one state of the store: all its reads are consistent, even while others write. */
  inState<T>(work: (state: CheckedState) => Promise<T>): Promise<T>
}

/** The last removal of records that no device needs. */
export interface LastLapsing {
  /** Cursors before this position are not accepted. */
  upTo: number
  /** When it was decided what is removed, in ms. */
  observedMs: number
  /** The confirmed time at that moment, in ms: look-ups are removed that were old then. */
  confirmedMs: number
}

/** One state of a store. */
export interface CheckedState extends Pick<Records, 'users' | 'relations' | 'relationsOf' | 'erasures'> {
  /** The position of the last commit in it. */
  readonly position: number
  /** The stored levels of a user. */
  levelsOf(owner: string): Promise<readonly (readonly [level: number, record: LevelRecord])[]>
  /** The updates of a document, in the order in which they were written. */
  documentOf(user: string, document: DocumentName): Promise<Uint8Array[]>
}

/** One difference between what is stored and what it should be. */
export interface Finding {
  user: string
  what: string
}

/**
 * Records that no device needs any more, of the kinds that a server removes once a day. Some may have lapsed since, or may
 * remain because the server was stopped. They are not wrong, and are removed on another day. A number that grows from week to
 * week indicates a bug, except for `tokens`.
 */
export interface Leftovers {
  relations: number
  lookups: number
  days: number
  /** Entries of the log of changed profiles from before the oldest cursor. In a database: batches that should be trimmed. */
  changes: number
  /** Documents whose updates are larger than their snapshot. The next change of the document folds them. */
  logs: number
  /** Revocations of tokens of users who have no record. They are never removed: a token without `exp` does not expire. */
  tokens: number
}

/** The result of a check. */
export interface CheckReport {
  users: number
  relations: number
  /** They do not count as differences. */
  leftovers: Leftovers
  /** Empty if the store is consistent. */
  findings: Finding[]
}

/**
 * Derives everything again from the documents and compares it with what is stored [D4]: facts, settings, levels, what each
 * viewer is shown, and the counts. Reads one user at a time, each from one state. Changes nothing.
 */
export async function checkStore(
  store: CheckedStore,
  onProgress?: (users: number) => void,
): Promise<Omit<CheckReport, 'leftovers'> & { leftovers: Pick<Leftovers, 'relations' | 'logs'> }> {
  const report = { users: 0, relations: 0, leftovers: { relations: 0, logs: 0 }, findings: [] as Finding[] }
  const checked = new Set<string>()
  for await (const user of store.ids()) {
    if (checked.has(user)) continue
    checked.add(user)
    const note = (what: string): void => void report.findings.push({ user, what })
    try {
      const { incarnations, lapsing } = store
      const counts = await store.inState(state => checkUser({ state, user, incarnations, lapsing, note }))
      report.relations += counts.relations
      report.leftovers.relations += counts.lapsed
      report.leftovers.logs += counts.logs
    } catch (error) {
      note(`can't be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    report.users++
    if (report.users % 1000 === 0) onProgress?.(report.users)
  }
  return report
}

/** The check of one user. */
interface Checking {
  state: CheckedState
  user: string
  incarnations: Incarnations | undefined
  lapsing: LastLapsing | undefined
  note(what: string): void
}

/** Returns how many relations the user has, how many of them no device needs, and how many documents must be folded. */
async function checkUser(checking: Checking): Promise<{ relations: number; lapsed: number; logs: number }> {
  const { state, user, lapsing, note } = checking
  const [record] = (await state.users([user])) as [UserRecord]
  const relations: (readonly [string, Relation])[] = []
  // A popular user has more relations than a call can have arguments.
  for await (const page of state.relationsOf(user)) for (const one of page) relations.push(one)
  const roster = await checkRoster(checking, record, new Map(relations))
  const profile = await checkProfile(checking, record)
  checkCounts(record, relations, note)
  for (let start = 0; start < relations.length; start += relationsAtOnce) {
    await checkRelations(checking, record, relations.slice(start, start + relationsAtOnce))
  }
  const lapsed = lapsing ? relations.filter(([, one]) => isLapsed(one, lapsing.upTo, lapsing.observedMs)).length : 0
  return { relations: relations.length, lapsed, logs: [roster, profile].filter(mustBeFolded).length }
}

/** The number of relations that are looked up with one read for each kind of record. */
const relationsAtOnce = 250

/** Returns the stored parts of the roster. */
async function checkRoster(
  { state, user, note }: Checking,
  record: UserRecord,
  relations: ReadonlyMap<string, Relation>,
): Promise<Uint8Array[]> {
  const parts = await state.documentOf(user, 'roster')
  if (parts.length === 0 && isBlank(record, relations)) return parts
  const roster = new StoredDocument('roster', parts)
  checkGeneration('roster', roster, note)
  const view = flatMapsOf(roster.doc)
  const settings = rosterSettings(view)
  if (settings.audience !== record.audience) note(`audience is ${record.audience}, not ${settings.audience}`)
  if (settings.autoSync !== record.autoSync) note(`autoSync is ${record.autoSync}, not ${settings.autoSync}`)
  const { hidesPresence = false } = record
  if (settings.hidesPresence !== hidesPresence) note(`hidesPresence is ${hidesPresence}, not ${settings.hidesPresence}`)
  const { messageAudience = 'everyone' } = record
  if (settings.messageAudience !== messageAudience) {
    note(`messageAudience is ${messageAudience}, not ${settings.messageAudience}`)
  }
  const named = new Set([...namedUsers(view), ...relations.keys()])
  named.delete(user)
  for (const [other, facts] of contactFacts(view, named)) {
    const stored = relations.get(other)?.mySide.said ?? noFacts
    if (!sameFacts(stored, facts)) {
      note(`what the roster says of ${JSON.stringify(other)} is derived otherwise`)
    }
  }
  roster.destroy()
  return parts
}

/** Whether a user without a roster has the record of an id that others merely name. Most ids in phone books are such ids. */
function isBlank({ audience, autoSync, ...record }: UserRecord, relations: ReadonlyMap<string, Relation>): boolean {
  if (audience !== 'everyone' || !autoSync || record.hidesPresence || record.messageAudience) return false
  for (const { mySide } of relations.values()) if (!saysNothing(mySide.said)) return false
  return true
}

/** Entries that an ended generation had removed would count again. */
function checkGeneration(name: string, { doc }: StoredDocument, note: Checking['note']): void {
  const clients = [...doc.store.clients.keys()]
  if (namesRetired(retiredOf(doc), clients)) note(`the ${name} has entries of an earlier generation`)
  if (clients.filter(isFounder).length > 1) note(`the ${name} has two founders`)
}

/** Returns the stored parts of the profile. */
async function checkProfile({ state, user, note }: Checking, record: UserRecord): Promise<Uint8Array[]> {
  const [parts, levels] = [await state.documentOf(user, 'profile'), await state.levelsOf(user)]
  if (parts.length === 0 && levels.length === 0 && Object.keys(record.levels).length === 0) return parts
  const profile = new StoredDocument('profile', parts)
  checkGeneration('profile', profile, note)
  const fields = profileFields(flatMapsOf(profile.doc))
  const seen = new Set<number>()
  for (const [level, stored] of levels) {
    seen.add(level)
    if (record.levels[String(level)] !== stored.position) note(`level ${level} has two positions`)
    if (Buffer.compare(stored.fields, encodeFields(fields.get(level) ?? {})) !== 0) {
      note(`level ${level} is not what the profile says`)
    }
  }
  for (const level of fields.keys()) if (!seen.has(level)) note(`level ${level} is missing`)
  for (const level of Object.keys(record.levels)) if (!seen.has(Number(level))) note(`level ${level} is not stored`)
  profile.destroy()
  return parts
}

function checkCounts(
  record: UserRecord,
  relations: readonly (readonly [string, Relation])[],
  note: Checking['note'],
): void {
  const count = (is: (relation: Relation) => boolean): number => relations.filter(([, one]) => is(one)).length
  const counts = {
    follows: count(({ mine, isWaiting }) => mine.isSubscribed && !isWaiting),
    waiting: count(({ isWaiting }) => isWaiting),
    unasked: count(({ isUnasked }) => isUnasked),
  }
  for (const [name, expected] of Object.entries(counts)) {
    const stored = record[name as keyof typeof counts]
    if (stored !== expected) note(`${name} is ${stored}, not ${expected}`)
  }
}

async function checkRelations(
  checking: Checking,
  record: UserRecord,
  relations: readonly (readonly [string, Relation])[],
): Promise<void> {
  const { state, user } = checking
  const others = relations.map(([other]) => other)
  const owners = await state.users(others)
  const mirrors = await state.relations(others.map((other): Pair => ({ a: other, b: user })))
  // Only a few ids change hands.
  const isHanded = relations.some(([, { mySide }]) => mySide.unconfirmed !== '')
  const erasures = isHanded ? await state.erasures(others) : []
  for (const [index, [other, relation]] of relations.entries()) {
    const [owner, mirror] = [owners[index] as UserRecord, mirrors[index] as Relation]
    checkRelation(checking, { viewer: record, owner, relation }, other, mirror)
    checkUnconfirmed(checking, other, relation.mySide, erasures[index] ?? 0)
  }
}

function checkRelation({ state, note }: Checking, view: View, other: string, mirror: Relation): void {
  const { viewer, relation } = view
  const name = JSON.stringify(other)
  if (!isSameSide(mirror.theirSide, relation.mySide)) {
    note(`${name} has another idea of what this roster says`)
  }
  if (mirror.isPaired !== relation.isPaired) note(`${name} and this user disagree on their pairing`)
  if (relation.isWaiting && !relation.mine.isSubscribed) note(`a follow of ${name} waits that is none`)
  if (relation.isUnasked && !isUnaskedCandidate(viewer, relation)) note(`${name} is shown unasked without a grant`)
  const shown = shownLevels(view)
  if (!sameItems(shown, relation.shown)) {
    note(`is shown levels [${relation.shown}] of ${name}, and should be shown [${shown}]`)
  }
  if (relation.changedAt > state.position) note(`the relation to ${name} is from the future`)
}

/** Most sides are the same object, see `side-codec.ts`. */
function isSameSide(a: Side, b: Side): boolean {
  return a === b || (a.unconfirmed === b.unconfirmed && sameFacts(a.said, b.said))
}

function sameFacts(a: ContactFacts, b: ContactFacts): boolean {
  return (
    a.isContact === b.isContact &&
    a.isSubscribed === b.isSubscribed &&
    a.isDeclined === b.isDeclined &&
    a.isBlocked === b.isBlocked &&
    sameItems(a.levels, b.levels) &&
    sameItems(a.confirmed, b.confirmed)
  )
}

/** The incarnation to confirm is stored, not derived. It must be the present one, and there must be something to confirm. */
function checkUnconfirmed(
  { incarnations, note }: Checking,
  other: string,
  { said, unconfirmed }: Side,
  erasures: number,
): void {
  if (unconfirmed === '') return
  const name = JSON.stringify(other)
  if (!gives(said)) note(`what is given to ${name} is to be confirmed, and there is nothing`)
  if (erasures === 0 || (incarnations && unconfirmed !== incarnations.tokenOf(other, erasures))) {
    note(`what is to be confirmed of ${name} is not the present incarnation`)
  }
}
