import type { Clock } from '../../clock.ts'
import { isLapsed, lookupDays } from '../../relations/lapsed.ts'
import { decodeRelation, type RelationRow } from './codec.ts'
import type { Database, Statement } from './database.ts'

/** As many relations as are looked at and removed at once. */
const mostRows = 500

/** At most a tombstone: neither side says anything, and nothing is paired, waits or is shown. */
const isBlank = `substring(record for 6) = '\\x000000000000'`

const begin: Statement = { name: 'kith-lapsing', text: 'select begin_lapsing($1) as lapsed' }

const relations: Statement = {
  name: 'kith-lapsing-relations',
  text: `select a, b, changed_at, joined_at, record as relation from relation
    where (a, b) > ($1, $2) and changed_at <= $3 and joined_at <= $3 and ${isBlank} order by a, b limit ${mostRows}`,
}

/** Not what a node has written since. */
const remove: Statement = {
  name: 'kith-lapsing-remove',
  text: `delete from relation r using unnest($1::text[], $2::text[]) as w (a, b)
    where r.a = w.a and r.b = w.b and changed_at <= $3 and joined_at <= $3 and ${isBlank}`,
}

/** What its viewer's roster says of a user comes first in a relation: two bytes that are 0 say nothing. */
const lookups: Statement = {
  name: 'kith-lapsing-lookups',
  text: `delete from asked k where day < floor(extract(epoch from now()) / 86400) - ${lookupDays} and not exists (
    select from relation r where r.a = k.viewer and r.b = k.id and substring(record for 2) <> '\\x0000')`,
}

/** What `store/level/lapsing.ts` does for a data folder. Any node does it, once a day. */
export async function removeLapsed(database: Database, clock: Clock): Promise<void> {
  const nowMs = clock.now()
  const [begun] = await database.rows<{ lapsed: number }>({ ...begin, values: [nowMs] })
  if (!begun) return
  let after: readonly [string, string] = ['', '']
  for (;;) {
    const page = await database.rows<RelationRow & { a: string; b: string }>({
      ...relations,
      values: [...after, begun.lapsed],
    })
    const lapsed = page.filter(row => isLapsed(decodeRelation(row), begun.lapsed, nowMs))
    const names = [lapsed.map(({ a }) => a), lapsed.map(({ b }) => b)]
    if (lapsed.length > 0) await database.rows({ ...remove, values: [...names, begun.lapsed] })
    const last = page.at(-1)
    if (!last || page.length < mostRows) break
    after = [last.a, last.b]
  }
  await database.rows(lookups)
}
