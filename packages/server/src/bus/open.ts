import { createHmac, randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { Cluster } from '../cluster.ts'
import { Database } from '../store/postgres/database.ts'
import { PostgresStays } from '../store/postgres/stays.ts'
import type { Carrier } from './bus.ts'
import { openBus } from './message-bus.ts'
import { PostgresCarrier } from './postgres-carrier.ts'

/** Connections for stays: one for writes, the others for reads. */
const mostConnections = 3
/** The timeout of a statement. When it expires, the connection is given up and another one is opened. */
const answerMs = 10_000
/** The shortest time between two log entries about refused messages. */
const refusedIsNewsMs = 60_000

export interface ClusterOptions {
  /** The database that the nodes share. */
  database: { url: string; prepares: boolean; listenUrl?: string | undefined }
  /** NATS servers that carry messages instead of the database. */
  natsUrl: string | undefined
  /** A secret of the database: the key of the nodes is derived from it. */
  secret: Uint8Array
  clock: Clock
  log: Logger
}

/**
 * Opens the services that this node shares with others. Rejects with `BusError` or `DatabaseError` if they cannot be reached.
 */
export async function openCluster({ database, natsUrl, secret, clock, log }: ClusterOptions): Promise<Cluster> {
  const node = randomUUID()
  const carrier = await openCarrier(database.listenUrl ?? database.url, natsUrl, secret, clock)
  const bus = await openBus({
    ...{ carrier, node, clock, key: derived(secret, 'kith bus: messages') },
    refused: onceIn(refusedIsNewsMs, clock, error => log.warn({ err: error }, 'a message between nodes was lost')),
  }).catch(async (error: unknown) => {
    await carrier.close()
    throw error
  })
  const stays = new PostgresStays({
    ...{ node, clock },
    database: new Database(database.url, { most: mostConnections, prepares: database.prepares, timeoutMs: answerMs }),
    failed: error => log.warn({ err: error }, 'who is online here could not be written'),
  })
  return { bus, stays }
}

async function openCarrier(
  url: string,
  natsUrl: string | undefined,
  secret: Uint8Array,
  clock: Clock,
): Promise<Carrier> {
  if (natsUrl === undefined) {
    const carrier = new PostgresCarrier(url, clock, answerMs)
    try {
      await carrier.connect()
    } catch (error) {
      await carrier.close()
      throw error
    }
    return carrier
  }
  const { connectNats } = await import('./nats-carrier.ts')
  // Several clusters may share one NATS server.
  return connectNats(natsUrl, `kith.${derived(secret, 'kith bus: subjects').toString('hex').slice(0, 16)}`)
}

function derived(secret: Uint8Array, what: string): Buffer {
  return createHmac('sha256', secret).update(what).digest()
}

/** Writes one log line for a flood of errors. */
function onceIn(ms: number, clock: Clock, say: (error: Error) => void): (error: Error) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY
  return error => {
    if (Math.abs(clock.now() - saidAtMs) < ms) return
    saidAtMs = clock.now()
    say(error)
  }
}
