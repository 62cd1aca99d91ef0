import type { LocalPostgres } from '@kith/local-postgres'

/** Returns all processes of a PostgreSQL server, starting with the first one. */
export async function processesOf(server: LocalPostgres): Promise<number[]> {
  const rows = await server.query('select pid from pg_stat_activity where pid <> pg_backend_pid()')
  return [server.pid, ...rows.map(({ pid }) => pid as number)].filter(pid => pid !== undefined)
}

/** Returns the process of a standby that receives the primary's writes; none while it connects. */
export async function receiverOf(standby: LocalPostgres): Promise<number[]> {
  const rows = await standby.query('select pid from pg_stat_wal_receiver where pid is not null')
  return rows.map(({ pid }) => pid as number)
}

/** Returns the processes of a primary that send its writes to standbys. */
export async function sendersOf(primary: LocalPostgres): Promise<number[]> {
  const rows = await primary.query('select pid from pg_stat_replication')
  return rows.map(({ pid }) => pid as number)
}

/** Sends a signal to each of these processes that still runs. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // The process has ended.
    }
  }
}
