import { randomBytes } from 'node:crypto'
import { findPrograms, startLocalPostgres } from '@kith/local-postgres'

/** A PostgreSQL server of a test's own, on the loopback interface. */
export interface PostgresServer {
  readonly port: number
  /** A new, empty place for one store: a schema of its own. */
  newUrl(): Promise<string>
  /** Ends all processes of the server at once, as a crash does. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Which PostgreSQL runs here, from the npm package or installed; `undefined` where none does. */
export async function findPostgres(): Promise<string | undefined> {
  return (await findPrograms())?.description
}

/** Makes a cluster in a temporary folder, and starts it. `settings` as in postgresql.conf. */
export async function startPostgres(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const server = await startLocalPostgres(settings)
  return {
    port: server.port,
    async newUrl() {
      const schema = `s${randomBytes(6).toString('hex')}`
      await server.query(`create schema ${schema}`)
      return `${server.url}?options=${encodeURIComponent(`-csearch_path=${schema}`)}`
    },
    start: () => server.start(),
    kill: () => server.kill(),
    stop: () => server.stop(),
  }
}
