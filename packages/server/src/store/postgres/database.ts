import type pg from 'pg'
import { connectPrimary, isConnectionLost } from './connect.ts'

/** A statement with its parameters. With a name it is planned once for each connection. */
export interface Statement {
  name: string
  text: string
  values?: unknown[]
}

/**
 * A few connections to the primary, opened as they are needed. What asks while all are in use waits for its turn. A connection
 * that breaks is dropped, and the next one is opened to the host that is the primary then.
 */
export class Database {
  readonly url: string
  readonly #most: number
  readonly #prepares: boolean
  readonly #free: pg.Client[] = []
  #open = 0
  readonly #waiting: (() => void)[] = []
  #isClosed = false
  /** Called with each connection before it is used: it may be to another primary than those before. */
  prepare: (client: pg.Client) => Promise<void> = () => Promise.resolve()

  constructor(url: string, options: { most: number; prepares: boolean }) {
    this.url = url
    this.#most = options.most
    this.#prepares = options.prepares
  }

  /** The rows of one statement, in a transaction of its own. */
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

  /** Resolves when all connections are closed, once what was asked has been answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const go of this.#waiting.splice(0)) go()
    await Promise.all(this.#free.splice(0).map(client => client.end()))
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
      const client = await connectPrimary(this.url)
      try {
        await this.prepare(client)
      } catch (error) {
        client.end().catch(() => undefined)
        throw error
      }
      return client
    } catch (error) {
      this.#open--
      this.#waiting.shift()?.()
      throw error
    }
  }

  #giveBack(client: pg.Client): void {
    if (this.#isClosed) return this.#drop(client)
    this.#free.push(client)
    this.#waiting.shift()?.()
  }

  #drop(client: pg.Client): void {
    this.#open--
    client.end().catch(() => undefined)
    this.#waiting.shift()?.()
  }
}
