import { randomBytes } from 'node:crypto'
import { findPrograms, startLocalPostgres } from '@kith/local-postgres'

/** A PostgreSQL server for one test, on the loopback interface. */
export interface PostgresServer {
  readonly port: number
  /** Returns the URL of a new, empty place for one store: its own schema. */
  newUrl(): Promise<string>
  /** Ends all processes of the server immediately, as a crash does. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Returns which PostgreSQL runs here, from the npm package or installed; `undefined` if there is none. */
export async function findPostgres(): Promise<string | undefined> {
  return (await findPrograms())?.description
}

/** Creates a cluster in a temporary folder, and starts it. `settings`: as in postgresql.conf. */
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
