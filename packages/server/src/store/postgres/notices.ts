import type pg from 'pg'
import type { Clock } from '../../clock.ts'
import { endConnection } from './connect.ts'
import { DatabaseError } from './database-error.ts'
import { Hosts } from './hosts.ts'

/** The text of a notification that a position was applied. */
export const appliedNotice = 'applied'

/**
 * It has nothing on disk, so it waits for no standby. The setting is local to the transaction, because a pooler gives the
 * connection to others.
 */
const notify = "select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"

/** The delay before a lost connection is reopened. */
const reconnectMs = 1_000
/** When a statement has had no answer for this time, the connection is given up. */
const answerMs = 10_000

/**
 * Notifies the nodes of a database immediately that the log has grown, by LISTEN and NOTIFY on a separate connection. In the
 * transaction of a batch, NOTIFY would take a lock for which all others wait. Nothing depends on the notices. If some are
 * missed, for example because of a pooler, the next read of the log finds the batches.
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

  /** `noticed`: a node has written; `applied`: a node has applied what was written. */
  constructor(url: string, clock: Clock, noticed: () => void, applied: () => void) {
    this.#hosts = Hosts.of(url)
    this.#stopListening = this.#hosts.onMove(() => this.#client && void endConnection(this.#client))
    this.#clock = clock
    this.#noticed = noticed
    this.#applied = applied
    this.#connect()
  }

  /** This node has written. Calls during a notification are combined into one. */
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
    // Handles what was written before the connection listened.
    this.#noticed()
  }

  #connectLater(): void {
    if (this.#isClosed) return
    this.#clock.after(reconnectMs, () => {
      if (!this.#isClosed) this.#connect()
    })
  }
}
