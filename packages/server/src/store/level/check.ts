import { contactFacts, flatMapsOf, gives, namedUsers, profileFields, rosterSettings } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { StoredDocument } from '../../documents/stored-document.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import {
  type DocumentName,
  newUser,
  noFacts,
  noRelation,
  type Relation,
  type Side,
  type UserRecord,
} from '../../relations/records.ts'
import { isUnaskedCandidate, shownLevels } from '../../relations/standing.ts'
import { sameLevels } from '../../relations/visible-levels.ts'
import { keys, parseOrdered, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './paged-reads.ts'
import { decodeLevel, decodeNumber, decodeRelation, decodeUser } from './record-codec.ts'

/** One difference between what is stored and what it should be. */
export interface Finding {
  user: string
  what: string
}

export interface CheckReport {
  users: number
  relations: number
  /** Empty: all is well. */
  findings: Finding[]
}

/**
 * Derives everything again from the documents, and compares [D4]: facts, settings, levels, what each viewer is shown, and
 * the counts. Reads one user at a time; changes nothing.
 */
export async function check(database: LevelDatabase, onProgress?: (users: number) => void): Promise<CheckReport> {
  const report: CheckReport = { users: 0, relations: 0, findings: [] }
  const [bytes, identity] = await database.getMany([keys.position, keys.identity])
  const incarnations = identity ? new Incarnations(identity) : undefined
  const position = bytes ? decodeNumber(bytes) : 0
  for (const user of await everybody(database)) {
    const note = (what: string): void => void report.findings.push({ user, what })
    try {
      await checkUser(database, user, { position, incarnations }, report, note)
    } catch (error) {
      note(`can't be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    report.users++
    if (report.users % 1000 === 0) onProgress?.(report.users)
  }
  return report
}

async function everybody(database: LevelDatabase): Promise<Set<string>> {
  const users = new Set<string>()
  for (const range of [ranges.users, ranges.documents, ranges.allLevels, ranges.allRelations]) {
    for await (const key of database.keys(range)) users.add(partsOf(key)[1] as string)
  }
  return users
}

type Note = (what: string) => void

/** What holds for the store as a whole. */
interface Whole {
  position: number
  incarnations: Incarnations | undefined
}

async function checkUser(
  database: LevelDatabase,
  user: string,
  whole: Whole,
  report: CheckReport,
  note: Note,
): Promise<void> {
  const record = await userOf(database, user)
  const relations = (await database.iterator(ranges.relations(user)).all()).map(
    ([key, bytes]) => [partsOf(key)[2] as string, decodeRelation(bytes)] as const,
  )
  report.relations += relations.length
  await checkRoster(database, user, record, new Map(relations), note)
  await checkProfile(database, user, record, note)
  checkCounts(record, relations, note)
  const changedAt = relations.reduce((latest, [, relation]) => Math.max(latest, relation.changedAt), 0)
  if (record.relationsChangedAt !== changedAt) {
    note(`relations last changed at ${changedAt}, not at ${record.relationsChangedAt}`)
  }
  for (const [other, relation] of relations) await checkRelation(database, user, record, other, relation, whole, note)
}

async function checkRoster(
  database: LevelDatabase,
  user: string,
  record: UserRecord,
  relations: ReadonlyMap<string, Relation>,
  note: Note,
): Promise<void> {
  const roster = await load(database, user, 'roster')
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
    if (JSON.stringify(stored, factNames) !== JSON.stringify(facts, factNames)) {
      note(`what the roster says of ${JSON.stringify(other)} is derived otherwise`)
    }
  }
  roster.destroy()
}

const factNames = ['isContact', 'isSubscribed', 'isDeclined', 'isBlocked', 'levels', 'confirmed']
const sideNames = ['said', 'unconfirmed', ...factNames]

async function checkProfile(database: LevelDatabase, user: string, record: UserRecord, note: Note): Promise<void> {
  const profile = await load(database, user, 'profile')
  const fields = profileFields(flatMapsOf(profile.doc))
  const seen = new Set<number>()
  for (const [key, bytes] of await database.iterator(ranges.levels(user)).all()) {
    const level = parseOrdered(partsOf(key)[2] as string)
    const stored = decodeLevel(bytes)
    seen.add(level)
    if (record.levels[String(level)] !== stored.position) note(`level ${level} has two positions`)
    if (Buffer.compare(stored.fields, encodeFields(fields.get(level) ?? {})) !== 0) {
      note(`level ${level} is not what the profile says`)
    }
  }
  for (const level of fields.keys()) if (!seen.has(level)) note(`level ${level} is missing`)
  for (const level of Object.keys(record.levels)) if (!seen.has(Number(level))) note(`level ${level} is not stored`)
  profile.destroy()
}

function checkCounts(record: UserRecord, relations: readonly (readonly [string, Relation])[], note: Note): void {
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

async function checkRelation(
  database: LevelDatabase,
  user: string,
  record: UserRecord,
  other: string,
  relation: Relation,
  { position, incarnations }: Whole,
  note: Note,
): Promise<void> {
  const name = JSON.stringify(other)
  const [bytes] = await database.getMany([keys.relation(other, user)])
  const mirror = bytes ? decodeRelation(bytes) : noRelation
  if (JSON.stringify(mirror.theirSide, sideNames) !== JSON.stringify(relation.mySide, sideNames)) {
    note(`${name} has another idea of what this roster says`)
  }
  await checkUnconfirmed(database, other, relation.mySide, incarnations, note)
  if (mirror.isPaired !== relation.isPaired) note(`${name} and this user disagree on their pairing`)
  if (relation.isWaiting && !relation.mine.isSubscribed) note(`a follow of ${name} waits that is none`)
  if (relation.isUnasked && !isUnaskedCandidate(record, relation)) note(`${name} is shown unasked without a grant`)
  const shown = shownLevels({ viewer: record, owner: await userOf(database, other), relation })
  if (!sameLevels(shown, relation.shown)) {
    note(`is shown levels [${relation.shown}] of ${name}, and should be shown [${shown}]`)
  }
  if (relation.changedAt > position) note(`the relation to ${name} is from the future`)
}

/** What must be confirmed is a record, not derived: it is of the present incarnation, and there is something to confirm. */
async function checkUnconfirmed(
  database: LevelDatabase,
  other: string,
  { said, unconfirmed }: Side,
  incarnations: Incarnations | undefined,
  note: Note,
): Promise<void> {
  if (unconfirmed === '') return
  const name = JSON.stringify(other)
  if (!gives(said)) note(`what is given to ${name} is to be confirmed, and there is nothing`)
  const [bytes] = await database.getMany([keys.erased(other)])
  const erasures = bytes ? decodeNumber(bytes) : 0
  if (erasures === 0 || (incarnations && unconfirmed !== incarnations.tokenOf(other, erasures))) {
    note(`what is to be confirmed of ${name} is not the present incarnation`)
  }
}

async function userOf(database: LevelDatabase, user: string): Promise<UserRecord> {
  const [bytes] = await database.getMany([keys.user(user)])
  return bytes ? decodeUser(bytes) : newUser()
}

async function load(database: LevelDatabase, user: string, name: DocumentName): Promise<StoredDocument> {
  const parts = await database.iterator(ranges.document(user, name)).all()
  return new StoredDocument(
    name,
    parts.map(([, bytes]) => bytes),
  )
}
