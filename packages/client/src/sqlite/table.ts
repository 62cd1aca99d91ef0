import type { Mode, Table, Where } from '../database/contract.ts'
import type { SqliteConnection, SqliteValue } from './driver.ts'
import { encodeRow } from './row-codec.ts'
import { Selection, whole } from './selection.ts'
import type { Shape } from './shapes.ts'

/** Runs a piece of work on the connection: in the transaction of the table, or in a transaction of its own. */
export type Work = <T>(mode: Mode, table: string, body: (sql: SqliteConnection) => Promise<T>) => Promise<T>

/** The number of rows or keys in one statement. With three values each, this is below the limit of every SQLite. */
const chunkLength = 100

/** A table of the storage contract, in SQLite. */
export class SqliteTable<Row extends object, Key extends SqliteValue> implements Table<Row, Key> {
  readonly #shape: Shape
  readonly #work: Work

  constructor(shape: Shape, work: Work) {
    this.#shape = shape
    this.#work = work
  }

  async get(key: Key): Promise<Row | undefined> {
    const [row] = await this.bulkGet([key])
    return row
  }

  async bulkGet(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    const found = new Map<Key, Row>()
    await this.#read(async sql => {
      for (const some of chunks([...new Set(keys)])) {
        const query = whole<Row>(`key IN (${marks(some.length)})`, some)
        const rows = await new Selection<Row, Key>(this.#shape, query, body => body(sql)).entries()
        for (const [key, row] of rows) found.set(key, row)
      }
    })
    return keys.map(key => found.get(key))
  }

  toArray(): Promise<Row[]> {
    return this.toCollection().toArray()
  }

  async count(): Promise<number> {
    const [row] = await this.#read(async sql => sql.all(`SELECT count(*) AS count FROM ${this.#shape.name}`, []))
    return row?.['count'] as number
  }

  async put(row: Row): Promise<Key> {
    return this.#write(sql => this.#insert(sql, 'INSERT OR REPLACE', row))
  }

  /** Rows that have keys are written in chunks. */
  async bulkPut(rows: readonly Row[]): Promise<void> {
    await this.#write(async sql => {
      const { name, isNumbered } = this.#shape
      const keys = rows.map(row => this.#keyOf(row))
      if (isNumbered || keys.includes(undefined)) {
        for (const row of rows) await this.#insert(sql, 'INSERT OR REPLACE', row)
        return
      }
      for (const some of chunks(rows)) {
        const places = some.map(() => '(?, ?, ?)').join(', ')
        const values = some.flatMap(row => this.#columns(this.#keyOf(row) as Key, row))
        await sql.run(`INSERT OR REPLACE INTO ${name} (key, indexed, row) VALUES ${places}`, values)
      }
    })
  }

  async add(row: Row): Promise<Key> {
    return this.#write(sql => this.#insert(sql, 'INSERT', row))
  }

  async bulkAdd(rows: readonly Row[]): Promise<void> {
    await this.#write(async sql => {
      for (const row of rows) await this.#insert(sql, 'INSERT', row)
    })
  }

  async delete(key: Key): Promise<void> {
    await this.bulkDelete([key])
  }

  async bulkDelete(keys: readonly Key[]): Promise<void> {
    await this.#write(async sql => {
      for (const some of chunks(keys)) {
        await sql.run(`DELETE FROM ${this.#shape.name} WHERE key IN (${marks(some.length)})`, some)
      }
    })
  }

  async clear(): Promise<void> {
    await this.#write(async sql => void (await sql.run(`DELETE FROM ${this.#shape.name}`, [])))
  }

  toCollection(): Selection<Row, Key> {
    return this.#select('1', [])
  }

  where(index: string): Where<Row, Key> {
    const { key } = this.#shape
    if (![':id', key, this.#shape.index].includes(index)) throw new TypeError(`${index} is no index of the table`)
    const column = index === this.#shape.index ? 'indexed' : 'key'
    return {
      equals: value => this.#select(`${column} = ?`, [value]),
      above: value => this.#select(`${column} > ?`, [value]),
      below: value => this.#select(`${column} < ?`, [value]),
      belowOrEqual: value => this.#select(`${column} <= ?`, [value]),
    }
  }

  #select(condition: string, values: readonly SqliteValue[]): Selection<Row, Key> {
    return new Selection(this.#shape, whole(condition, values), (body, mode = 'r') =>
      mode === 'r' ? this.#read(body) : this.#write(body),
    )
  }

  #read<T>(body: (sql: SqliteConnection) => Promise<T>): Promise<T> {
    return this.#work('r', this.#shape.name, body)
  }

  #write<T>(body: (sql: SqliteConnection) => Promise<T>): Promise<T> {
    return this.#work('rw', this.#shape.name, body)
  }

  async #insert(sql: SqliteConnection, verb: 'INSERT' | 'INSERT OR REPLACE', row: Row): Promise<Key> {
    const given = this.#keyOf(row)
    const key = this.#shape.isNumbered ? await this.#number(sql, given as number | undefined) : given
    if (key === undefined) throw new TypeError(`A row of ${this.#shape.name} needs ${this.#shape.key}`)
    const places = '(key, indexed, row) VALUES (?, ?, ?)'
    await sql.run(`${verb} INTO ${this.#shape.name} ${places}`, this.#columns(key as Key, row))
    return key as Key
  }

  /** Returns the number of a new row. A given number also counts for later rows without one, as in IndexedDB. */
  async #number(sql: SqliteConnection, given: number | undefined): Promise<number> {
    const { name } = this.#shape
    if (given !== undefined) {
      await sql.run('UPDATE numbers SET last = max(last, ?) WHERE name = ?', [Math.floor(given), name])
      return given
    }
    await sql.run('UPDATE numbers SET last = last + 1 WHERE name = ?', [name])
    const [row] = await sql.all('SELECT last FROM numbers WHERE name = ?', [name])
    return row?.['last'] as number
  }

  #keyOf(row: Row): Key | undefined {
    return (row as Record<string, Key | undefined>)[this.#shape.key]
  }

  #columns(key: Key, row: Row): SqliteValue[] {
    const { [this.#shape.key]: _, ...rest } = row as Record<string, unknown>
    const indexed = this.#shape.index ? ((rest[this.#shape.index] as number | undefined) ?? null) : null
    return [key, indexed, encodeRow(rest)]
  }
}

function marks(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}

function chunks<T>(values: readonly T[]): T[][] {
  const count = Math.ceil(values.length / chunkLength)
  return Array.from({ length: count }, (_, index) => values.slice(index * chunkLength, (index + 1) * chunkLength))
}
