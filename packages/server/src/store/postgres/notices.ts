import type pg from 'pg'
import type { Clock } from '../../clock.ts'
import { endConnection } from './connect.ts'
import { DatabaseError } from './database-error.ts'
import { Hosts } from './hosts.ts'

/** What a notification says of a position that was applied. */
export const appliedNotice = 'applied'

/** It has nothing on the disk, so it waits for no standby. In the transaction alone: a pooler gives the connection to others. */
const notify = "select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"

/** When a connection that was lost is opened again. */
const reconnectMs = 1_000
/** A statement without an answer for so long: the connection is given up. */
const answerMs = 10_000

/**
 * Tells the nodes of a database at once that the log has grown, by LISTEN and NOTIFY on a connection of its own: outside the
 * transaction of a batch, where NOTIFY would take a lock that all others wait for. Nothing depends on it: what it misses, for
 * instance behind a pooler, is found when the log is looked at the next time.
 */
export class Notices {
  readonly #hosts: Hosts
  readonly #stopListening: () => void
  readonly #clock: Clock
  readonly #noticed: () => void
  readonly #applied: () => void
  #client: pg.Client | undefined
  #channel = ''
  #isSaying = false
  #isOwed = false
  #isClosed = false
  #connecting: Promise<void> = Promise.resolve()

  /** `noticed`: some node has written; `applied`: some node has applied what was written. */
  constructor(url: string, clock: Clock, noticed: () => void, applied: () => void) {
    this.#hosts = Hosts.of(url)
    this.#stopListening = this.#hosts.onMove(() => this.#client && void endConnection(this.#client))
    this.#clock = clock
    this.#noticed = noticed
    this.#applied = applied
    this.#connect()
  }

  /** This node has written. Several calls while one is said are one. */
  say(): void {
    if (this.#isSaying) this.#isOwed = true
    else if (this.#client) void this.#say(this.#client)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopListening()
    await this.#connecting
    if (this.#client) await endConnection(this.#client)
  }

  async #say(client: pg.Client): Promise<void> {
    this.#isSaying = true
    do {
      this.#isOwed = false
      // The connection's end is handled where it is opened.
      await client.query(notify, [this.#channel, '']).catch(() => endConnection(client))
    } while (this.#isOwed && client === this.#client)
    this.#isSaying = false
  }

  #connect(): void {
    this.#connecting = this.#listen().catch(() => this.#connectLater())
  }

  async #listen(): Promise<void> {
    const client = await this.#hosts.connect(answerMs)
    let isEnded = false
    client.on('notification', ({ payload }) => (payload === appliedNotice ? this.#applied() : this.#noticed()))
    client.on('end', () => {
      isEnded = true
      if (this.#client !== client) return
      this.#client = undefined
      this.#connectLater()
    })
    try {
      const { rows } = await client.query("select 'kith_' || current_schema() as channel")
      this.#channel = rows[0].channel
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`)
      if (isEnded) throw new DatabaseError('the connection was lost')
    } catch (error) {
      await endConnection(client)
      throw error
    }
    this.#client = client
    // What was written before the connection listened.
    this.#noticed()
  }

  #connectLater(): void {
    if (this.#isClosed) return
    this.#clock.after(reconnectMs, () => {
      if (!this.#isClosed) this.#connect()
    })
  }
}
