import type { Mode, Selection as SelectionContract } from '../database/contract.ts'
import type { SqliteConnection, SqliteRow, SqliteValue } from './driver.ts'
import { decodeRow } from './row-codec.ts'
import type { Shape } from './shapes.ts'

/** A query: rows by an SQL condition, then filtered by functions. */
export interface Query<Row> {
  readonly condition: string
  readonly values: readonly SqliteValue[]
  readonly filters: readonly ((row: Row) => boolean)[]
  readonly limit: number
}

/** All rows that meet a condition. */
export function whole<Row>(condition: string, values: readonly SqliteValue[]): Query<Row> {
  return { condition, values, filters: [], limit: Number.POSITIVE_INFINITY }
}

/** Runs a function on the connection of the selection's table. */
type Run = <T>(body: (sql: SqliteConnection) => Promise<T>, mode?: Mode) => Promise<T>

/** The number of rows that are read at a time if functions decide how many are needed. */
const pageLength = 200

export class Selection<Row extends object, Key extends SqliteValue> implements SelectionContract<Row, Key> {
  readonly #shape: Shape
  readonly #query: Query<Row>
  readonly #run: Run

  constructor(shape: Shape, query: Query<Row>, run: Run) {
    this.#shape = shape
    this.#query = query
    this.#run = run
  }

  filter(isMeant: (row: Row) => boolean): Selection<Row, Key> {
    return this.#with({ filters: [...this.#query.filters, isMeant] })
  }

  limit(count: number): Selection<Row, Key> {
    return this.#with({ limit: Math.min(count, this.#query.limit) })
  }

  async toArray(): Promise<Row[]> {
    return (await this.entries()).map(([, row]) => row)
  }

  async first(): Promise<Row | undefined> {
    const [row] = await this.limit(1).toArray()
    return row
  }

  async last(): Promise<Row | undefined> {
    const [entry] = await this.#run(sql => this.#with({ limit: 1 }).#entries(sql, 'DESC'))
    return entry?.[1]
  }

  async primaryKeys(): Promise<Key[]> {
    if (this.#query.filters.length > 0) return (await this.entries()).map(([key]) => key)
    const rows = await this.#run(async sql => sql.all(`SELECT key ${this.#from()}${this.#top()}`, this.#query.values))
    return rows.map(row => row['key'] as Key)
  }

  async delete(): Promise<void> {
    await this.#run(async sql => {
      if (this.#query.filters.length === 0) return void (await sql.run(`DELETE ${this.#from()}`, this.#query.values))
      for (const [key] of await this.#entries(sql, 'ASC')) {
        await sql.run(`DELETE FROM ${this.#shape.name} WHERE key = ?`, [key])
      }
    }, 'rw')
  }

  /** The rows with their keys. */
  entries(): Promise<[Key, Row][]> {
    return this.#run(sql => this.#entries(sql, 'ASC'))
  }

  async #entries(sql: SqliteConnection, direction: 'ASC' | 'DESC'): Promise<[Key, Row][]> {
    const { values, filters, limit } = this.#query
    const found: [Key, Row][] = []
    const page = filters.length === 0 ? limit : pageLength
    for (let after: Key | undefined; found.length < limit; ) {
      const further = after === undefined ? '' : `AND key ${direction === 'ASC' ? '>' : '<'} ?`
      const top = Number.isFinite(page) ? `LIMIT ${page}` : ''
      const rows = await sql.all(
        `SELECT key, row ${this.#from()} ${further} ORDER BY key ${direction} ${top}`,
        after === undefined ? values : [...values, after],
      )
      const entries = rows.map(row => this.#entry(row))
      found.push(...entries.filter(([, row]) => filters.every(isMeant => isMeant(row))))
      if (rows.length < page) break
      after = entries.at(-1)?.[0]
    }
    return found.slice(0, limit)
  }

  #entry({ key, row }: SqliteRow): [Key, Row] {
    const bytes = row instanceof Uint8Array ? row : new Uint8Array(row as ArrayBuffer)
    return [key as Key, Object.assign(decodeRow(bytes) as Row, { [this.#shape.key]: key })]
  }

  #from(): string {
    return `FROM ${this.#shape.name} WHERE ${this.#query.condition}`
  }

  #top(): string {
    return ` ORDER BY key${Number.isFinite(this.#query.limit) ? ` LIMIT ${this.#query.limit}` : ''}`
  }

  #with(change: Partial<Query<Row>>): Selection<Row, Key> {
    return new Selection(this.#shape, { ...this.#query, ...change }, this.#run)
  }
}
