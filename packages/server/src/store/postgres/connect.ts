import pg from 'pg'
import { DatabaseError } from './database-error.ts'

/** Types whose text form is a whole number below 2^53. */
const bigint = 20
const bigints = 1016

/** Numbers as numbers: positions are below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format: never) => {
    if (id === bigint) return Number
    if (id === bigints) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))
    return pg.types.getTypeParser(id, format)
  }) as pg.CustomTypesConfig['getTypeParser'],
}

/** The addresses that a URL with several hosts names, as in `postgres://kith@db1,db2:5433/kith`. */
function hostsIn(url: string): string[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/.exec(url)
  if (!parts) throw new DatabaseError('KITH_DATABASE_URL must be a URL, as in postgres://user@host/database')
  const [, before, hosts, after] = parts as unknown as [string, string, string, string]
  return hosts.split(',').map(host => `${before}${host}${after}`)
}

/**
 * A connection to the host that takes writes: each is asked, since a standby of a cluster that failed over may be the primary
 * by now, and the primary a standby. Rejects with {@link DatabaseError} if none is.
 */
export async function connectPrimary(url: string): Promise<pg.Client> {
  const failures: unknown[] = []
  for (const connectionString of hostsIn(url)) {
    const client = new pg.Client({ connectionString, types, application_name: 'kith', connectionTimeoutMillis: 5_000 })
    // A connection that breaks while nothing is asked of it: the next question finds out.
    client.on('error', () => undefined)
    client.on('notice', ({ routine }) => {
      if (routine === waitForStandby) unconfirmed.add(client)
    })
    try {
      await client.connect()
      const { rows } = await client.query('show transaction_read_only')
      if (rows[0]?.transaction_read_only === 'off') return client
      failures.push(new Error(`${client.host}:${client.port} is a standby`))
    } catch (error) {
      failures.push(error)
    }
    await client.end().catch(() => undefined)
  }
  const reasons = failures.map(error => (error instanceof Error ? error.message || String(error) : String(error)))
  throw new DatabaseError(`no primary of the database can be reached: ${reasons.join('; ')}`, { cause: failures[0] })
}

/** Where the server says that it has ended the wait of a commit for a standby: it is visible, and a failover may lose it. */
const waitForStandby = 'SyncRepWaitForLSN'

const unconfirmed = new WeakSet<pg.Client>()

/** Whether a commit on this connection, since the last call, was answered although no standby had confirmed it. */
export function tookUnconfirmed(client: pg.Client): boolean {
  return unconfirmed.delete(client)
}

/** Whether the outcome of a statement is unknown, or it never began, since the connection to the server was lost. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseError) return true
  const { code } = error as { code?: string }
  // Of the system, or none: the socket ended. 08: connection exceptions; 57P: the server goes or went; 25006: it is a standby now.
  if (code === undefined) return /connection|terminated|socket|timeout/i.test((error as Error).message)
  return /^E[A-Z]+$|^08|^57P|^25006$/.test(code)
}
