import { createHash, randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Clock } from '../clock.ts'
import { endConnection, isConnectionLost } from '../store/postgres/connect.ts'
import { Hosts } from '../store/postgres/hosts.ts'
import type { Carrier, CarrierPort } from './bus.ts'
import { BusError } from './bus-error.ts'

/** The delay before a lost connection is reopened. */
const reconnectMs = 1_000
/** NOTIFY takes less than 8,000 bytes. */
const maxNoticeLength = 7_999
/** The number of messages in one statement, and the number that may wait for it. */
const mostAtOnce = 200
const mostWaiting = 20_000
/** How long a large message is kept for its readers, and how often older ones are deleted. */
const keptFor = '1 minute'
const trimMs = 60_000

type Listener = (bytes: Uint8Array) => void

interface Notice {
  channel: string
  bytes: Uint8Array
}

/**
 * Nothing of it must be on disk, so it waits for no standby. The setting is local to the transaction, because a pooler gives
 * the connection to others.
 */
const send = `with at_once as materialized (select set_config('synchronous_commit', 'off', true)),
    large as (insert into bus_payload (id, body) select * from unnest($3::uuid[], $4::bytea[]))
  select pg_notify(channel, payload) from at_once, unnest($1::text[], $2::text[]) as m (channel, payload)`

/**
 * LISTEN and NOTIFY on a separate connection, outside the transactions of commits, where NOTIFY would take a lock for which all
 * others wait. It needs a connection to the server itself, or a pooler that keeps sessions.
 *
 * A notice is the number of the message and its base64, `7:AbC=`; or, if that is too long, the number and the id of a row of
 * the unlogged table `bus_payload`, `7@id`. The number makes equal messages distinct, because PostgreSQL delivers only one of
 * several equal notices in one transaction.
 */
export class PostgresCarrier implements Carrier {
  port: CarrierPort = { gap: () => undefined, failed: () => undefined }
  readonly #hosts: Hosts
  readonly #stopListening: () => void
  readonly #clock: Clock
  readonly #answerMs: number
  readonly #listenersByChannel: Map<string, Set<Listener>> = new Map()
  readonly #stopTrimming: () => void
  #client: pg.Client | undefined
  #schema = ''
  #outbox: Notice[] = []
  #sending: Promise<void> | undefined
  #sent = 0
  /** Notices that wait until an earlier large message has been read. */
  #held = 0
  #reading: Promise<void> = Promise.resolve()
  #isClosed = false
  #connecting: Promise<void> = Promise.resolve()

  /** `answerMs`: the timeout of a statement. When it expires, the connection is given up and another one is opened. */
  constructor(url: string, clock: Clock, answerMs: number) {
    this.#answerMs = answerMs
    this.#hosts = Hosts.of(url)
    this.#stopListening = this.#hosts.onMove(() => this.#client && void endConnection(this.#client))
    this.#clock = clock
    this.#stopTrimming = clock.every(trimMs, () => this.#trim())
  }

  /** Rejects with `DatabaseError` if no primary can be reached. Later losses are repaired. */
  async connect(): Promise<void> {
    const client = await this.#hosts.connect(this.#answerMs)
    let isEnded = false
    client.on('end', () => {
      isEnded = true
      if (this.#client === client) this.#lost()
    })
    client.on('notification', ({ channel, payload }) => this.#notified(client, channel, payload ?? ''))
    try {
      await client.query("set application_name = 'kith-bus'")
      const { rows } = await client.query('select current_schema() as schema')
      this.#schema = rows[0].schema
      for (const channel of this.#listenersByChannel.keys()) await client.query(`listen ${channel}`)
      if (isEnded || this.#isClosed) throw new BusError('the connection was lost')
    } catch (error) {
      await endConnection(client)
      throw error
    }
    this.#client = client
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (!this.#client) return
    if (this.#outbox.length >= mostWaiting) {
      return this.port.failed(new BusError(`${mostWaiting} messages wait for the database: one is dropped`))
    }
    this.#outbox.push({ channel: this.#channelOf(subject), bytes })
    this.#sending ??= this.#sendAll()
  }

  async subscribe(subject: string, listener: Listener): Promise<() => void> {
    const channel = this.#channelOf(subject)
    const known = this.#listenersByChannel.get(channel)
    const listeners = known ?? new Set()
    this.#listenersByChannel.set(channel, listeners.add(listener))
    // A connection that is opened later listens to all channels.
    if (!known) await this.#ask(`listen ${channel}`)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#listenersByChannel.get(channel) !== listeners) return
      this.#listenersByChannel.delete(channel)
      void this.#ask(`unlisten ${channel}`)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopListening()
    this.#stopTrimming()
    await this.#connecting
    await this.#sending
    if (this.#client) await endConnection(this.#client)
  }

  /** Channels belong to the database. The schema separates clusters. A name has at most 63 bytes. */
  #channelOf(subject: string): string {
    return `kith_${createHash('sha256').update(`${this.#schema}\0${subject}`).digest('hex').slice(0, 40)}`
  }

  async #sendAll(): Promise<void> {
    for (let client = this.#client; client && this.#outbox.length > 0; client = this.#client) {
      const some = this.#outbox.splice(0, mostAtOnce)
      try {
        await client.query(send, this.#valuesOf(some))
      } catch (error) {
        this.#failed(error, client)
      }
    }
    // No `await` between the last check of the outbox and this reset, so a later message starts a new loop.
    this.#sending = undefined
  }

  #valuesOf(notices: readonly Notice[]): unknown[][] {
    const values: [string[], string[], string[], Buffer[]] = [[], [], [], []]
    const [channels, payloads, ids, bodies] = values
    for (const { channel, bytes } of notices) {
      const number = ++this.#sent
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const inline = `${number}:${buffer.toString('base64')}`
      channels.push(channel)
      if (inline.length <= maxNoticeLength) payloads.push(inline)
      else {
        const id = randomUUID()
        payloads.push(`${number}@${id}`)
        ids.push(id)
        bodies.push(buffer)
      }
    }
    return values
  }

  /** Handles notices in the order of their arrival. Notices after a large message wait for it. */
  #notified(client: pg.Client, channel: string, payload: string): void {
    const [, inline, id] = /^\d{1,16}(?::([A-Za-z0-9+/=]*)|@([0-9a-f-]{36}))$/.exec(payload) ?? []
    if (inline === undefined && id === undefined) {
      return this.port.failed(new BusError('a notice that is none of Kith: keep others off the database'))
    }
    const read = async (): Promise<Uint8Array | undefined> => {
      if (inline !== undefined) return Buffer.from(inline, 'base64')
      const { rows } = await client.query('select body from bus_payload where id = $1', [id])
      return rows[0]?.body
    }
    if (this.#held === 0 && inline !== undefined) return this.#deliver(channel, Buffer.from(inline, 'base64'))
    this.#held++
    this.#reading = this.#reading.then(async () => {
      try {
        const bytes = await read()
        if (bytes) this.#deliver(channel, bytes)
        else this.port.failed(new BusError('a large message that is not there any more'))
      } catch (error) {
        this.#failed(error, client)
      } finally {
        this.#held--
      }
    })
  }

  #deliver(channel: string, bytes: Uint8Array): void {
    for (const listener of [...(this.#listenersByChannel.get(channel) ?? [])]) listener(bytes)
  }

  #trim(): void {
    void this.#ask(`delete from bus_payload where at < clock_timestamp() - interval '${keptFor}'`)
  }

  #ask(text: string): Promise<void> | undefined {
    const client = this.#client
    return client?.query(text).then(
      () => undefined,
      (error: unknown) => this.#failed(error, client),
    )
  }

  /** Ends a connection that gives no answer. The end is handled where the connection was opened. */
  #failed(error: unknown, client: pg.Client): void {
    if (isConnectionLost(error)) void endConnection(client)
    else this.port.failed(error as Error)
  }

  #lost(): void {
    this.#client = undefined
    this.#outbox = []
    this.#connectLater()
  }

  #connectLater(): void {
    if (this.#isClosed) return
    this.#clock.after(reconnectMs, () => {
      if (this.#isClosed) return
      this.#connecting = this.connect().then(
        () => this.port.gap(),
        () => this.#connectLater(),
      )
    })
  }
}
