import type { LocalPostgres } from '@kith/local-postgres'
import type { Random } from '../../random.ts'

/** Cancels the current statement of a connection of a node, or ends the connection. `which`: a condition on the connection. */
export async function endBackend(primary: LocalPostgres, random: Random, which = ''): Promise<void> {
  const means = random.fraction() < 0.5 ? 'pg_cancel_backend' : 'pg_terminate_backend'
  const busyFirst = `(state = 'active')::int * ${random.fraction() < 0.7 ? 1 : 0} desc, md5(pid || '${random.below(1e9)}')`
  const found = `select pid from pg_stat_activity where application_name like 'kith%' ${which} order by ${busyFirst} limit 1`
  await primary.query(`select ${means}(pid) from (${found}) as one`).catch(() => undefined)
}
