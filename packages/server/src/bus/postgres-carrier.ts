import { createHash, randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Clock } from '../clock.ts'
import { endConnection, isConnectionLost } from '../store/postgres/connect.ts'
import { Hosts } from '../store/postgres/hosts.ts'
import type { Carrier, CarrierPort } from './bus.ts'
import { BusError } from './bus-error.ts'

/** When a connection that was lost is opened again. */
const reconnectMs = 1_000
/** NOTIFY takes less than 8,000 bytes. */
const maxNoticeLength = 7_999
/** As many messages as go in one statement, and as many as wait for it. */
const mostAtOnce = 200
const mostWaiting = 20_000
/** How long a large message is kept for those who are to read it, and how often older ones are deleted. */
const keptFor = '1 minute'
const trimMs = 60_000

type Listener = (bytes: Uint8Array) => void

interface Notice {
  channel: string
  bytes: Uint8Array
}

/** Nothing of it must be on disk, so it waits for no standby. In its transaction alone: a pooler gives the connection to others. */
const send = `with at_once as materialized (select set_config('synchronous_commit', 'off', true)),
    large as (insert into bus_payload (id, body) select * from unnest($3::uuid[], $4::bytea[]))
  select pg_notify(channel, payload) from at_once, unnest($1::text[], $2::text[]) as m (channel, payload)`

/**
 * LISTEN and NOTIFY on a connection of its own: outside the transactions of commits, where NOTIFY would take a lock that all
 * others wait for. It needs a connection to the server itself, or a pooler that keeps sessions.
 *
 * A notice is the number of the message and its base64, `7:AbC=`; or, if that is too long, the number and the id of a row of
 * the unlogged table `bus_payload`, `7@id`. The number tells equal messages apart: of equal notices in one transaction
 * PostgreSQL delivers one.
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
  /** Notices that wait for a large one before them to be read. */
  #held = 0
  #reading: Promise<void> = Promise.resolve()
  #isClosed = false
  #connecting: Promise<void> = Promise.resolve()

  /** `answerMs`: after which time without an answer the connection is given up, and another is opened. */
  constructor(url: string, clock: Clock, answerMs: number) {
    this.#answerMs = answerMs
    this.#hosts = Hosts.of(url)
    this.#stopListening = this.#hosts.onMove(() => this.#client && void endConnection(this.#client))
    this.#clock = clock
    this.#stopTrimming = clock.every(trimMs, () => this.#trim())
  }

  /** Rejects with `DatabaseError` when no primary can be reached. Later losses are repaired. */
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
    // On a connection that is opened later all are listened to.
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

  /** Channels are the database's: the schema tells clusters apart. A name has 63 bytes at most. */
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
    // No `await` between the last look at the outbox and this reset, so a later message starts a new loop.
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

  /** In the order in which they came: what comes after a large one waits for it. */
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

  /** A connection that gives no answer is ended here; that it has ended is handled where it was opened. */
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
