import type { LocalPostgres } from '@kith/local-postgres'

/** All processes of a PostgreSQL server, the first one first. */
export async function processesOf(server: LocalPostgres): Promise<number[]> {
  const rows = await server.query('select pid from pg_stat_activity where pid <> pg_backend_pid()')
  return [server.pid, ...rows.map(({ pid }) => pid as number)].filter(pid => pid !== undefined)
}

/** The process of a standby that takes what the primary writes; none while it connects. */
export async function receiverOf(standby: LocalPostgres): Promise<number[]> {
  const rows = await standby.query('select pid from pg_stat_wal_receiver where pid is not null')
  return rows.map(({ pid }) => pid as number)
}

/** The processes of a primary that send standbys what it writes. */
export async function sendersOf(primary: LocalPostgres): Promise<number[]> {
  const rows = await primary.query('select pid from pg_stat_replication')
  return rows.map(({ pid }) => pid as number)
}

/** Sends a signal to each of these processes that has not ended. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended.
    }
  }
}
