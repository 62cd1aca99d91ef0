import type { Clock } from '../../clock.ts'
import { isLapsed, lookupDays } from '../../relations/lapsed.ts'
import { decodeRelation, type RelationRow } from './codec.ts'
import type { Database, Statement } from './database.ts'

/** The number of rows that one statement examines. It takes some milliseconds, in which others may wait for its locks. */
const mostRows = 2_000

/** At most a tombstone: neither side says anything, and nothing is paired, waits or is shown. */
const isBlank = `substring(record for 6) = '\\x000000000000'`

const begin: Statement = { name: 'kith-lapsing', text: 'select begin_lapsing($1) as lapsed' }

/**
 * Returns the relations of a page that may be removed, and the last one of the page in any case. The next page begins after it.
 */
const relations: Statement = {
  name: 'kith-lapsing-relations',
  text: `with page as materialized (
      select a, b, changed_at, joined_at, record from relation where (a, b) > ($1, $2) order by a, b limit ${mostRows}
    ) select a, b, changed_at, joined_at, record as relation from page
    where (changed_at <= $3 and joined_at <= $3 and ${isBlank})
      or (a, b) = (select a, b from page order by a desc, b desc limit 1)
    order by a, b`,
}

/** Skips rows that a node has written since, or is writing. No commit waits for this statement, and it waits for no commit. */
const remove: Statement = {
  name: 'kith-lapsing-remove',
  text: `delete from relation r using (
      select a, b from relation where (a, b) in (select * from unnest($1::text[], $2::text[]))
        and changed_at <= $3 and joined_at <= $3 and ${isBlank} order by a, b for update skip locked
    ) as w where r.a = w.a and r.b = w.b`,
}

/**
 * Removes the look-ups of a page that are old, and returns the last one of the page. In a relation, the first two bytes are
 * what the viewer's roster says about the user: two zero bytes say nothing.
 */
const lookups: Statement = {
  name: 'kith-lapsing-lookups',
  text: `with page as materialized (
      select viewer, id, day from asked where (viewer, id) > ($1, $2) order by viewer, id limit ${mostRows}
    ), old as (
      select k.viewer, k.id from asked k join page p on p.viewer = k.viewer and p.id = k.id
      where p.day < least(extract(epoch from now())::bigint / 86400, (select confirmed_ms from store) / 86400000) - ${lookupDays} and not exists (
        select from relation r where r.a = k.viewer and r.b = k.id and substring(record for 2) <> '\\x0000')
      order by k.viewer, k.id for update of k skip locked
    ), gone as (
      delete from asked k using old where k.viewer = old.viewer and k.id = old.id
    ) select viewer as a, id as b from page order by viewer desc, id desc limit 1`,
}

/** Does the same as `store/level/lapsing.ts` for a data folder. Any node does it, once a day. */
export async function removeLapsed(database: Database, clock: Clock): Promise<void> {
  const nowMs = clock.now()
  const [begun] = await database.rows<{ lapsed: number }>({ ...begin, values: [nowMs] })
  if (!begun) return
  for (let after: Place | undefined = start; after; ) {
    const page: (RelationRow & Place)[] = await database.rows({
      ...relations,
      values: [after.a, after.b, begun.lapsed],
    })
    const lapsed = page.filter(row => isLapsed(decodeRelation(row), begun.lapsed, nowMs))
    const names = [lapsed.map(({ a }) => a), lapsed.map(({ b }) => b)]
    if (lapsed.length > 0) await database.rows({ ...remove, values: [...names, begun.lapsed] })
    after = page.at(-1)
  }
  for (let after: Place | undefined = start; after; ) {
    const page: Place[] = await database.rows({ ...lookups, values: [after.a, after.b] })
    after = page[0]
  }
}

/** The key of the last row of a page. */
interface Place {
  a: string
  b: string
}

const start: Place = { a: '', b: '' }
