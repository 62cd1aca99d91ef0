import pg from 'pg'
import { DatabaseError } from './database-error.ts'

/** Types whose text form is a whole number below 2^53. */
const bigint = 20
const bigints = 1016

/** Parses them as numbers, because positions are below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format: never) => {
    if (id === bigint) return Number
    if (id === bigints) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))
    return pg.types.getTypeParser(id, format)
  }) as pg.CustomTypesConfig['getTypeParser'],
}

/** Opens a connection to a host, if the host accepts writes. */
export async function openConnection(url: string, timeoutMs?: number): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    ...{ connectionString: url, types, application_name: 'kith', connectionTimeoutMillis: 5_000 },
    ...{ keepAlive: true, query_timeout: timeoutMs },
  })
  // The connection breaks while no statement is in progress. The next statement will find out.
  client.on('error', () => undefined)
  client.on('notice', ({ routine }) => {
    if (routine === waitForStandby) unconfirmed.add(client)
  })
  try {
    await client.connect()
    const { rows } = await client.query('show transaction_read_only')
    if (rows[0]?.transaction_read_only === 'off') return client
  } catch (error) {
    await endConnection(client)
    throw error
  }
  await endConnection(client)
  return undefined
}

/** How long a server may take to end a connection that is given up. */
const goodbyeMs = 2_000

/**
 * Ends a connection, and never rejects. A machine that is gone without notice does not answer, and the connection to it would
 * stay for a quarter of an hour. So after a while this side ends it alone.
 */
export async function endConnection(client: pg.Client): Promise<void> {
  const late = setTimeout(() => client.connection.stream.destroy(), goodbyeMs)
  await client.end().catch(() => undefined)
  clearTimeout(late)
}

/**
 * The place in the server's code that reports that a commit has stopped waiting for a standby. The commit is visible, and a
 * failover may lose it.
 */
const waitForStandby = 'SyncRepWaitForLSN'

const unconfirmed = new WeakSet<pg.Client>()

/** Whether a commit on this connection, since the last call, was acknowledged although no standby had confirmed it. */
export function tookUnconfirmed(client: pg.Client): boolean {
  return unconfirmed.delete(client)
}

/** Whether the outcome of a statement is unknown, or it never began, because the connection to the server was lost. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseError) return true
  const { code } = error as { code?: string }
  // No code, or a system code: the socket ended. 08: connection exceptions; 57P: the server stops or stopped; 25006: it is a
  // standby now.
  if (code === undefined) return /connection|terminated|socket|timeout|not queryable/i.test((error as Error).message)
  return /^E[A-Z]+$|^08|^57P|^25006$/.test(code)
}
