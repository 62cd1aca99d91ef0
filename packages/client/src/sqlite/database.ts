import { KithError } from '@kith/shared'
import type { Mode } from '../database/contract.ts'
import type { QueryObserver } from '../database/query-observer.ts'
import { Signal } from '../signal.ts'
import { connect } from './connect.ts'
import type { SqliteConnection, SqliteDriver } from './driver.ts'
import { DatabaseClosed } from './failure.ts'
import { type Shape, statementsFor } from './shapes.ts'
import { SqliteTable, type Work } from './table.ts'
import { Transaction } from './transaction.ts'

/** Tables by the names of their shapes. */
// biome-ignore lint/suspicious/noExplicitAny: each table has rows of its own, which its contract names.
export type TablesOf<Shapes> = { readonly [Name in keyof Shapes]: SqliteTable<any, any> }

export interface SqliteDatabaseOptions<Shapes> {
  readonly driver: SqliteDriver
  /** The name of the file. */
  readonly file: string
  readonly shapes: Shapes
  /** Whether no other process may open it while it is open. */
  readonly isExclusive: boolean
  /** The statements that lead from the first layout of the tables to the second, from there to the third, and so on. */
  readonly layoutSteps?: readonly (readonly string[])[]
  /** Fills a file that is created, in the same transaction. */
  populate?(made: TablesOf<Shapes>): PromiseLike<unknown> | undefined
  /** Migrates the rows of a file that was found, in the transaction that migrates its layout. If it throws, nothing changes. */
  migrate?(found: TablesOf<Shapes>): PromiseLike<unknown>
}

type State = { is: 'new' } | { is: 'open'; connection: SqliteConnection } | { is: 'closed'; done: Promise<unknown> }

/** One SQLite file, on one connection. Transactions run one after the other. */
export class SqliteDatabase<Shapes extends Record<string, Shape>> {
  readonly name: string
  readonly #options: SqliteDatabaseOptions<Shapes>
  readonly #committed: Signal<[written: ReadonlySet<string>]> = new Signal()
  #state: State = { is: 'new' }
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string, options: SqliteDatabaseOptions<Shapes>) {
    this.name = name
    this.#options = options
  }

  async open(): Promise<void> {
    if (this.#state.is !== 'new') throw new DatabaseClosed()
    await this.#inTurn(async () => {
      const { driver, file } = this.#options
      const connection = await connect(driver, file, this.name)
      try {
        await this.#set(connection)
        if (this.#state.is === 'closed') throw new DatabaseClosed()
        this.#state = { is: 'open', connection }
        await this.#run('rw', transaction => this.#prepare(transaction.work))
        // After the check: this changes a file that a later version keeps without such a log.
        // It is a write-ahead log without shared memory between processes.
        if (this.#options.isExclusive) await connection.all('PRAGMA journal_mode = WAL', [])
      } catch (error) {
        // A file without tables is not deleted: another process may be creating them.
        this.#state = { is: 'closed', done: Promise.resolve() }
        await connection.close()
        throw error
      }
    })
  }

  isOpen(): boolean {
    return this.#state.is === 'open'
  }

  close(): Promise<unknown> {
    if (this.#state.is === 'closed') return this.#state.done
    const connection = this.#state.is === 'open' ? this.#state.connection : undefined
    const done = this.#inTurn(async () => connection?.close())
    this.#state = { is: 'closed', done }
    return done
  }

  async delete(): Promise<void> {
    await this.close()
    await this.#inTurn(async () => this.#options.driver.remove(this.#options.file))
  }

  transact<T>(mode: Mode, body: (tables: TablesOf<Shapes>) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => (await this.#transact(mode, body)).result)
  }

  /** The tables outside a transaction: each call is a transaction of its own. */
  tables(): TablesOf<Shapes> {
    return this.#tables((mode, table, body) =>
      this.#inTurn(async () => {
        const { result } = await this.#run(mode, ({ work }) => work(mode, table, body))
        return result
      }),
    )
  }

  live<T>(query: (tables: TablesOf<Shapes>) => Promise<T>, observer: QueryObserver<T>): () => void {
    let read: ReadonlySet<string> | undefined
    let isStopped = false
    const stop = (): void => {
      isStopped = true
      unsubscribe()
    }
    const ask = async (): Promise<void> => {
      if (isStopped || !read) return
      read = undefined // While the query waits, no commit triggers it again: the result includes earlier commits.
      try {
        const found = await this.#inTurn(async () => {
          const found = await this.#transact('r', query)
          read = found.read
          return found
        })
        if (!isStopped) observer.next(found.result)
      } catch (error) {
        if (isStopped) return
        stop()
        observer.error(error)
      }
    }
    const unsubscribe = this.#committed.on(written => {
      if (read && [...written].some(name => read?.has(name))) void ask()
    })
    read = new Set()
    void ask()
    return stop
  }

  /** Changes no byte of the file, which may be that of a later version. */
  async #set(connection: SqliteConnection): Promise<void> {
    const { isExclusive } = this.#options
    const statements = [
      'PRAGMA busy_timeout = 0',
      // The lock is taken whole, in one statement, and kept: of several processes that open a file, the first one gets it.
      ...(isExclusive ? ['PRAGMA locking_mode = EXCLUSIVE', 'BEGIN EXCLUSIVE', 'ROLLBACK'] : []),
      // A commit is on the disk when it returns [D1], also on macOS.
      'PRAGMA synchronous = EXTRA',
      'PRAGMA fullfsync = ON',
      'PRAGMA checkpoint_fullfsync = ON',
      // Deleted data is overwritten in the file [V5].
      'PRAGMA secure_delete = ON',
    ]
    for (const statement of statements) await connection.run(statement, [])
  }

  /** Checks, creates and migrates in one transaction: of several processes that find an empty file, one creates the tables. */
  async #prepare(work: Work): Promise<void> {
    const { shapes, layoutSteps = [], populate, migrate } = this.#options
    const newest = layoutSteps.length + 1
    const found = await work('rw', '', async sql => {
      const [row] = await sql.all('PRAGMA user_version', [])
      return Number(row?.['user_version'])
    })
    if (found > newest) {
      const message = `A later version of Kith wrote the database ${this.name}: nothing was changed; update this app`
      throw new KithError('database-newer', message)
    }
    const isNew = found === 0
    if (found < newest) {
      const statements = isNew ? statementsFor(Object.values(shapes)) : layoutSteps.slice(found - 1).flat()
      await work('rw', '', async sql => {
        for (const statement of [...statements, `PRAGMA user_version = ${newest}`]) await sql.run(statement, [])
      })
    }
    await (isNew ? populate : migrate)?.(this.#tables(work))
  }

  async #transact<T>(
    mode: Mode,
    body: (tables: TablesOf<Shapes>) => Promise<T>,
  ): Promise<{ result: T; read: ReadonlySet<string> }> {
    return this.#run(mode, transaction => body(this.#tables(transaction.work)))
  }

  /** Runs `body` in a transaction: all of it is committed, or nothing. */
  async #run<T>(
    mode: Mode,
    body: (transaction: Transaction) => Promise<T>,
  ): Promise<{ result: T; read: ReadonlySet<string> }> {
    const transaction = new Transaction(mode, () => this.#connection())
    const connection = this.#connection()
    if (mode === 'rw') await connection.run('BEGIN IMMEDIATE', [])
    try {
      const result = await body(transaction)
      await transaction.end()
      if (mode === 'rw') await this.#connection().run('COMMIT', [])
      if (transaction.written.size > 0) this.#committed.emit(transaction.written)
      return { result, read: transaction.read }
    } catch (error) {
      await transaction.end().catch(() => undefined)
      // SQLite may have rolled back automatically, and then refuses a rollback.
      if (mode === 'rw') await rolledBack(connection)
      throw error
    }
  }

  #tables(work: Work): TablesOf<Shapes> {
    const { shapes } = this.#options
    return Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, new SqliteTable(shape, work)]),
    ) as unknown as TablesOf<Shapes>
  }

  #connection(): SqliteConnection {
    if (this.#state.is !== 'open') throw new DatabaseClosed()
    return this.#state.connection
  }

  /** Runs work after all earlier work. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

async function rolledBack(connection: SqliteConnection): Promise<void> {
  try {
    await connection.run('ROLLBACK', [])
  } catch {
    // SQLite has rolled back already, or the connection is gone and the transaction with it.
  }
}
