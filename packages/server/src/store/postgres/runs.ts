import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { isSameRun } from '../nodes/runs.ts'

interface Run {
  id: Uint8Array
  start: number
}

/** Names one opening of the database: the cluster, its timeline, and when this server process of it started. */
export const keyOfRun = `select concat_ws(':', (select system_identifier from pg_control_system()),
  left(pg_walfile_name(pg_current_wal_lsn()), 8), extract(epoch from pg_postmaster_start_time())::text) as key`

/** A device that was away for more of them gets everything again. */
const mostRuns = 1_000

/**
 * The history of the database, run by run, as `level/runs.ts` has it for a folder. A run is one opening of the database, not of
 * a node: after a failover, a restart or a restore there is another, and all nodes have the same.
 */
export class PostgresRuns {
  #runs: readonly Run[] = []
  readonly #runOf: WeakMap<pg.Client, Uint8Array> = new WeakMap()

  /** 8 bytes that name the present run. */
  get current(): Uint8Array {
    return this.#runs.at(-1)?.id ?? new Uint8Array(8)
  }

  /** How far a cursor of that run reaches: `Infinity` for the present one, nothing for a run that this store never had. */
  reachOf(run: Uint8Array): number | undefined {
    const index = this.#runs.findIndex(({ id }) => isSameRun(id, run))
    if (index < 0) return undefined
    return this.#runs[index + 1]?.start ?? Number.POSITIVE_INFINITY
  }

  /** The run that a connection reaches. */
  of(client: pg.Client): Uint8Array | undefined {
    return this.#runOf.get(client)
  }

  /** Reads the runs on a new connection, and begins one if the database was opened since the last began. */
  async load(client: pg.Client): Promise<void> {
    const { rows } = await client.query(keyOfRun)
    const found = await client.query('select from run where key = $1', [rows[0].key])
    if (found.rowCount === 0) await client.query('select begin_run($1, $2)', [randomBytes(8), rows[0].key])
    const runs = await client.query('select id, start from run order by n desc limit $1', [mostRuns])
    const loaded = runs.rows.map(({ id, start }): Run => ({ id: new Uint8Array(id), start })).reverse()
    const { id: last } = loaded.at(-1) as Run
    this.#runOf.set(client, last)
    // The connection that was opened later may have been read first: it knows of this run, and of later ones.
    const known = this.#runs.findIndex(({ id }) => isSameRun(id, last))
    if (known < 0 || known === this.#runs.length - 1) this.#runs = loaded
  }
}
