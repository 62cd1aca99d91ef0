import type pg from 'pg'
import { endConnection, isConnectionLost } from './connect.ts'
import { Hosts } from './hosts.ts'

/** A statement with its parameters. If it has a name, it is planned once for each connection. */
export interface Statement {
  name: string
  text: string
  values?: unknown[]
}

/** Where statements are run: on any connection, or on one, in a transaction. */
export interface Rows {
  /** The rows of one statement. */
  rows<Row>(statement: Statement): Promise<Row[]>
}

export interface DatabaseOptions {
  /** The number of connections that are open at a time. */
  most: number
  /** Whether statements are prepared. Some poolers do not support prepared statements. */
  prepares: boolean
  /** A connection without an answer for this time counts as lost. Absent: never. */
  timeoutMs?: number
}

/**
 * A few connections to the primary, opened on demand. While all are in use, requests wait for their turn. A broken connection
 * is dropped, and the next one is opened to the host that is the primary then.
 */
export class Database implements Rows {
  readonly url: string
  readonly #most: number
  readonly #prepares: boolean
  readonly #timeoutMs: number | undefined
  readonly #hosts: Hosts
  readonly #stopListening: () => void
  readonly #free: pg.Client[] = []
  /** All open connections, including those in use. */
  readonly #clients: Set<pg.Client> = new Set()
  #open = 0
  readonly #waiting: (() => void)[] = []
  #isClosed = false
  /** Called with each connection before it is used, because it may be to another primary than the earlier ones. */
  prepare: (client: pg.Client) => Promise<void> = () => Promise.resolve()

  constructor(url: string, options: DatabaseOptions) {
    this.#timeoutMs = options.timeoutMs
    this.url = url
    this.#most = options.most
    this.#prepares = options.prepares
    this.#hosts = Hosts.of(url)
    this.#stopListening = this.#hosts.onMove(() => this.#dropAll())
  }

  /** Returns the rows of one statement, which runs in its own transaction. */
  rows<Row>(statement: Statement): Promise<Row[]> {
    return this.with(client => this.on<Row>(client, statement))
  }

  async on<Row>(client: pg.Client, { name, text, values = [] }: Statement): Promise<Row[]> {
    const { rows } = await client.query({ text, values, ...(this.#prepares && { name }) })
    return rows as Row[]
  }

  /** Runs several statements on one connection, such as a transaction. */
  async with<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#take()
    try {
      const result = await work(client)
      this.#giveBack(client)
      return result
    } catch (error) {
      if (isConnectionLost(error)) this.#drop(client)
      else this.#giveBack(client)
      throw error
    }
  }

  /** Runs statements that read one state of the database. */
  inSnapshot<T>(work: (snapshot: Rows) => Promise<T>): Promise<T> {
    return this.with(async client => {
      await client.query('begin isolation level repeatable read read only')
      try {
        return await work({ rows: statement => this.on(client, statement) })
      } finally {
        await client.query('commit')
      }
    })
  }

  /** Resolves when all connections are closed, after pending requests have been answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopListening()
    for (const go of this.#waiting.splice(0)) go()
    await Promise.all(this.#free.splice(0).map(endConnection))
  }

  async #take(): Promise<pg.Client> {
    for (;;) {
      if (this.#isClosed) throw new Error('the database is closed')
      const free = this.#free.pop()
      if (free) return free
      if (this.#open < this.#most) return this.#connect()
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  async #connect(): Promise<pg.Client> {
    this.#open++
    try {
      const client = await this.#hosts.connect(this.#timeoutMs)
      try {
        await this.prepare(client)
      } catch (error) {
        void endConnection(client)
        throw error
      }
      this.#clients.add(client)
      client.once('end', () => this.#ended(client))
      return client
    } catch (error) {
      this.#open--
      this.#waiting.shift()?.()
      throw error
    }
  }

  #giveBack(client: pg.Client): void {
    if (this.#isClosed || !this.#clients.has(client)) return this.#drop(client)
    this.#free.push(client)
    this.#waiting.shift()?.()
  }

  /** The connections lead to a host that is no longer the primary. Requests on them fail, as if the connection was lost. */
  #dropAll(): void {
    const inUse = [...this.#clients].filter(client => !this.#free.includes(client))
    for (const client of this.#free.splice(0)) this.#drop(client)
    this.#clients.clear()
    for (const client of inUse) void endConnection(client)
  }

  /** A request on a connection that ends fails by itself. */
  #ended(client: pg.Client): void {
    const index = this.#free.indexOf(client)
    if (index < 0) return
    this.#free.splice(index, 1)
    this.#drop(client)
  }

  #drop(client: pg.Client): void {
    this.#clients.delete(client)
    this.#open--
    void endConnection(client)
    this.#waiting.shift()?.()
  }
}
