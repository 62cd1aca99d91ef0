import type { LevelDatabase } from '../level/level-database.ts'
import type { Database } from '../postgres/database.ts'
import { DatabaseError } from '../postgres/database-error.ts'
import { families, insertOf, listsOf, matchesOf } from './families.ts'
import { type Batch, batchesOf, type Folder, folderOf } from './source.ts'

/** The result of a copy. */
export interface CopyReport {
  entries: number
  /** The copy continued where an earlier one was interrupted. */
  isResumed: boolean
}

export interface CopyProgress {
  copied?(entries: number): void
  compared?(entries: number): void
}

/** Progress is reported after this number of entries. */
const entriesBetween = 10_000

/**
 * Copies a data folder that no server uses into an empty database. A copy that was interrupted continues where it was. If a
 * server wrote to the folder meanwhile, it begins again. Cursors, incarnations and tokens stay valid, so devices notice
 * nothing. At its end, the copy compares every record. Only then may a node use the database. Throws {@link DatabaseError}.
 */
export async function copy(source: LevelDatabase, target: Database, progress: CopyProgress = {}): Promise<CopyReport> {
  const folder = await folderOf(source)
  const done = await begin(target, folder)
  let entries = 0
  for await (const batch of batchesOf(source, done ?? '', folder.position)) {
    await write(target, batch)
    entries = count(entries, batch, progress.copied)
  }
  await compare(source, target, folder, progress.compared)
  await finish(target, folder)
  return { entries, isResumed: done !== undefined }
}

function count(before: number, { entries }: Batch, tell: ((entries: number) => void) | undefined): number {
  const after = before + entries.length
  if (Math.floor(after / entriesBetween) > Math.floor(before / entriesBetween)) tell?.(after)
  return after
}

/** Returns the key after which the copy continues, or `undefined` for a new copy. */
async function begin(target: Database, { identity, position }: Folder): Promise<string | undefined> {
  return target.with(async client => {
    const { rows } = await client.query('select identity, position, done from copying')
    const [copying] = rows as { identity: Buffer; position: number; done: Buffer }[]
    if (copying && copying.position === position && copying.identity.equals(identity)) {
      return copying.done.toString('utf8')
    }
    const { rows: used } = await client.query(
      'select position > 0 or exists (select from users) or exists (select from account) as yes from head',
    )
    if (!copying && used[0].yes) {
      throw new DatabaseError(
        'the database has users already: copy the folder to an empty one, after kith-server migrate',
      )
    }
    const tables = [...new Set(Object.values(families).map(({ table }) => table))]
    await client.query(`begin; truncate ${tables.join(', ')}, copying`)
    await client.query("insert into copying (identity, position, done) values ($1, $2, '')", [
      Buffer.from(identity),
      position,
    ])
    await client.query('commit')
    return undefined
  })
}

async function write(target: Database, { family, entries }: Batch): Promise<void> {
  await target.with(async client => {
    await client.query('begin')
    try {
      await client.query(insertOf(family), listsOf(family, entries))
      await client.query('update copying set done = $1', [Buffer.from(entries.at(-1)?.key ?? '', 'utf8')])
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      throw error
    }
  })
}

/** Checks that each record of the folder is in the database, unchanged, and that nothing else is there. */
async function compare(
  source: LevelDatabase,
  target: Database,
  { position }: Folder,
  tell: ((entries: number) => void) | undefined,
): Promise<void> {
  const rowsOf = new Map<string, number>()
  let compared = 0
  for await (const batch of batchesOf(source, '', position)) {
    const { family, entries } = batch
    const [row] = await target.rows<{ count: number }>({
      name: `kith-same-${family.table}-${family.columns[1]?.name}`,
      text: matchesOf(family),
      values: listsOf(family, entries),
    })
    if (row?.count !== entries.length) {
      throw new DatabaseError(
        `of ${entries.length} records of ${family.table} ${row?.count ?? 0} were copied right: run the copy again`,
      )
    }
    // An account's erasures and revocation are two families in the folder, and one row in the database.
    if (family.table !== 'account') rowsOf.set(family.table, (rowsOf.get(family.table) ?? 0) + entries.length)
    compared = count(compared, batch, tell)
  }
  for (const { table } of Object.values(families)) {
    if (table === 'account') continue
    const [row] = await target.rows<{ count: number }>({
      name: `kith-count-${table}`,
      text: `select count(*) as count from ${table}`,
    })
    if (row?.count !== (rowsOf.get(table) ?? 0)) {
      throw new DatabaseError(`${table} has ${row?.count} rows, and the folder ${rowsOf.get(table) ?? 0}`)
    }
  }
}

/** From now on, nodes may use the database. Its history continues where that of the folder ends. */
async function finish(target: Database, { identity, cursorKey, position, runs, lapsed }: Folder): Promise<void> {
  await target.with(async client => {
    await client.query('begin')
    await client.query('update head set position = $1', [position])
    await client.query('update store set identity = $1, cursor_key = $2, forgotten = $3, lapsed = $4', [
      Buffer.from(identity),
      Buffer.from(cursorKey),
      position,
      lapsed,
    ])
    await client.query('update account set revoked_at = $1 where revoked_at_ms > 0', [position])
    await client.query('delete from run')
    const ids = runs.map(({ id }) => Buffer.from(id, 'hex'))
    await client.query(
      `insert into run (id, key, start, at) select id, 'folder ' || encode(id, 'hex'), start, '-infinity'
        from unnest($1::bytea[], $2::bigint[]) with ordinality as r (id, start, n) order by n`,
      [ids, runs.map(({ start }) => start)],
    )
    await client.query('delete from copying')
    await client.query('commit')
  })
}
