import { decodeFields } from '@kith/shared/wire'
import {
  type DocumentName,
  type LevelName,
  type LevelRecord,
  newUser,
  noRelation,
  type UserRecord,
} from '../../relations/records.ts'
import type { Revocation } from '../../relations/revocation.ts'
import type { Looked, StoredParts, View } from '../../relations/views.ts'
import { decodeCommits } from '../nodes/commit-codec.ts'
import {
  decodeLevel,
  decodeRelation,
  decodeUser,
  documentNumbers,
  encodeRelation,
  encodeUser,
  type LevelRow,
  type RelationRow,
  type UserRow,
} from './codec.ts'
import type { Database, Rows, Statement } from './database.ts'
import { levelsByNames, levelValues, usersByIds } from './records.ts'

/** Records as large as those of most users. */
const standIn = {
  user: encodeUser({
    ...newUser(),
    registeredAt: 1_000_000,
    levels: { '0': 1_000_000 },
  }),
  relation: { changed_at: 0, joined_at: 0, relation: encodeRelation(noRelation) },
}

type ViewRow = UserRow & RelationRow & { at: number }

/** The viewer's own row comes first. */
const viewsOf: Statement = {
  name: 'kith-views',
  text: `select (select position from head) as at, u.registered_at, u.levels, u.record,
      r.changed_at, r.joined_at, r.record as relation
    from unnest(array[$1::text] || $2::text[]) with ordinality as k (id, n)
    left join users u on u.id = k.id left join relation r on r.a = $1 and r.b = k.id order by k.n`,
}

/**
 * Returns how a viewer sees owners, and the levels that `wanted` selects: all from one state, that of a snapshot if there are
 * two reads.
 */
export function lookAt(
  database: Database,
  viewer: string,
  owners: readonly string[],
  wanted: ((views: View[]) => readonly LevelName[]) | undefined,
): Promise<Looked> {
  const statement = { ...viewsOf, values: [viewer, owners] }
  if (!wanted) return database.rows<ViewRow>(statement).then(rows => lookedOf(rows))
  return database.inSnapshot(async snapshot => {
    const looked = lookedOf(await snapshot.rows<ViewRow>(statement))
    const names = wanted(looked.views)
    return names.length === 0 ? looked : { ...looked, levels: await levelsOf(snapshot, names) }
  })
}

function lookedOf(rows: readonly ViewRow[]): Looked {
  const [viewerRow, ...others] = rows as [ViewRow, ...ViewRow[]]
  const viewer = decodeUser(viewerRow)
  const views = others.map(row => {
    // A stand-in is decoded for a missing record. Otherwise the time would reveal whether the record exists [V8][V10].
    const owner = decodeUser(row.registered_at === null ? standIn.user : row)
    const relation = decodeRelation(row.changed_at === null ? standIn.relation : row)
    return {
      viewer,
      owner: row.registered_at === null ? newUser() : owner,
      relation: row.changed_at === null ? noRelation : relation,
    }
  })
  return { at: viewerRow.at, views, levels: [] }
}

export async function levelsOf(database: Rows, names: readonly LevelName[]): Promise<(LevelRecord | undefined)[]> {
  return (await database.rows<LevelRow>({ ...levelsByNames, values: levelValues(names) })).map(decodeLevel)
}

export async function usersOf(database: Database, ids: readonly string[]): Promise<UserRecord[]> {
  return (await database.rows<UserRow>({ ...usersByIds, values: [ids] })).map(decodeUser)
}

const fieldsOfLevels: Statement = {
  name: 'kith-fields',
  text: 'select level, fields from level where owner = $1 order by level',
}

export async function levelsWithFields(database: Database, owner: string): Promise<number[]> {
  const rows = await database.rows<{ level: number; fields: Uint8Array }>({ ...fieldsOfLevels, values: [owner] })
  return rows.flatMap(({ level, fields }) => (Object.keys(decodeFields(fields)).length > 0 ? [level] : []))
}

const partsOfDocument: Statement = {
  name: 'kith-document',
  text: 'select position, update from document where id = $1 and name = $2 and position >= $3 order by position',
}

/** Returns what was written at a position or since. The version of the document is the position of its last part. */
export async function partsOf(database: Rows, id: string, document: DocumentName, since = 0): Promise<StoredParts> {
  const values = [id, documentNumbers[document], since]
  const rows = await database.rows<{ position: number; update: Uint8Array }>({ ...partsOfDocument, values })
  return { version: rows.at(-1)?.position ?? 0, parts: rows.map(({ update }) => new Uint8Array(update)) }
}

const erasuresOfId: Statement = { name: 'kith-erased', text: 'select erasures from account where id = $1' }

export async function erasuresOf(database: Database, id: string): Promise<number> {
  const [row] = await database.rows<{ erasures: number }>({ ...erasuresOfId, values: [id] })
  return row?.erasures ?? 0
}

const revocationOfId: Statement = {
  name: 'kith-revocation',
  text: 'select now_ms() as now, (select revoked_at_ms from account where id = $1) as at',
}

export async function revocationOf(database: Database, id: string): Promise<Revocation> {
  const [row] = await database.rows<{ now: number; at: number | null }>({ ...revocationOfId, values: [id] })
  if (!row) throw new Error('the database did not say what time it is')
  return { atMs: row.at ?? 0, nowMs: row.now }
}

const askedOf: Statement = { name: 'kith-has-asked', text: 'select from asked where viewer = $1 and id = $2' }

export async function hasAsked(database: Database, viewer: string, id: string): Promise<boolean> {
  return (await database.rows({ ...askedOf, values: [viewer, id] })).length > 0
}

/** The log is complete from `first` on. Its own rows show whether it contains everything after a position. */
const logSince: Statement = {
  name: 'kith-changed-since',
  text: `select h.position as head, (select forgotten from store) as forgotten, l.first, l.commits from head h
    left join log l on l.last > $1 and h.position - $1 <= $2 order by l.last`,
}

type LogSinceRow = { head: number; forgotten: number; first: number | null; commits: Uint8Array }

/**
 * Returns users whose profile changed after a position. Returns `undefined` if there may be more than `most`, or if the changes
 * are no longer stored.
 */
export async function changedSince(database: Database, since: number, most: number): Promise<string[] | undefined> {
  const rows = await database.rows<LogSinceRow>({ ...logSince, values: [since, most] })
  const [earliest] = rows
  if (!earliest || earliest.head - since > most || since < earliest.forgotten) return undefined
  if (earliest.first === null) return earliest.head > since ? undefined : []
  if (earliest.first > since + 1) return undefined
  const changed = new Set<string>()
  for (const { first, commits } of rows) {
    for (const { position, levels, subjects } of decodeCommits(commits, first as number)) {
      if (position > since && levels.size > 0 && subjects[0] !== undefined) changed.add(subjects[0])
    }
  }
  return [...changed]
}

const registered: Statement = {
  name: 'kith-registered',
  text: `select id, registered_at, levels, record from users
    where id > $1 and registered_at > 0 order by id limit $2`,
}

/** Returns registered users whose ids come after this one. */
export async function registeredAfter(
  database: Database,
  id: string,
  most: number,
): Promise<[id: string, user: UserRecord][]> {
  const rows = await database.rows<UserRow & { id: string }>({ ...registered, values: [id, most] })
  return rows.map(row => [row.id, decodeUser(row)])
}
