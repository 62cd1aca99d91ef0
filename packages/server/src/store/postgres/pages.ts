import { turnForSlice } from '../../turns.ts'
import type { Rows, Statement } from './database.ts'

/** The number of rows that are read together and decoded in one slice. */
const rowsAtOnce = 250

/**
 * Returns all rows of a statement, a page at a time, each page in its state when it is read. The statement's parameters are the
 * key after which a page begins, `$1`, and the largest number of rows, `$2`. The statement orders its rows by that key.
 */
async function* pagesOf<Row>(database: Rows, statement: Statement, keyOf: (row: Row) => string): AsyncIterable<Row[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows: Row[] = await database.rows<Row>({ ...statement, values: [after, rowsAtOnce] })
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    after = last === undefined || rows.length < rowsAtOnce ? undefined : keyOf(last)
    if (after !== undefined) await turnForSlice()
  }
}

/** Returns the values of an indexed column, each once, in their order. Uses the index to go from one value to the next. */
export async function* distinct(database: Rows, table: string, column: string): AsyncIterable<string> {
  const next = `select ${column} as id from ${table} where ${column} > `
  const text = `with recursive found as (
      (${next} $1 order by 1 limit 1)
      union all select (${next} found.id order by 1 limit 1) from found where found.id is not null
    ) select id from found where id is not null limit $2`
  for await (const page of pagesOf<{ id: string }>(database, { name: `kith-${table}-ids`, text }, ({ id }) => id)) {
    for (const { id } of page) yield id
  }
}
