import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { isSameRun } from '../nodes/runs.ts'

interface Run {
  id: Uint8Array
  start: number
}

/** A device that was away for more runs gets everything again. */
const mostRuns = 1_000

/**
 * The history of the database, run by run, as in `level/runs.ts` for a folder. A run is one opening of the database, not of a
 * node. After a failover, a restart or a restore there is a new run, and it is the same for all nodes.
 */
export class PostgresRuns {
  #runs: readonly Run[] = []
  #key = ''

  /** 8 bytes that name the present run. */
  get current(): Uint8Array {
    return this.#runs.at(-1)?.id ?? new Uint8Array(8)
  }

  /**
   * Returns the position up to which a cursor of that run is valid: `Infinity` for the present run, `undefined` for a run that
   * this store never had.
   */
  reachOf(run: Uint8Array): number | undefined {
    const index = this.#runs.findIndex(({ id }) => isSameRun(id, run))
    if (index < 0) return undefined
    return this.#runs[index + 1]?.start ?? Number.POSITIVE_INFINITY
  }

  /** The database's name of the present run (`run_key`). */
  get key(): string {
    return this.#key
  }

  /** Reads the runs on a connection, and begins one if the database was opened since the last one began. */
  async load(client: pg.Client): Promise<void> {
    const { rows } = await client.query('select run_key() as key')
    const found = await client.query('select from run where key = $1', [rows[0].key])
    if (found.rowCount === 0) await client.query('select begin_run($1, $2)', [randomBytes(8), rows[0].key])
    const runs = await client.query('select id, start from run order by n desc limit $1', [mostRuns])
    const loaded = runs.rows.map(({ id, start }): Run => ({ id: new Uint8Array(id), start })).reverse()
    const { id: last } = loaded.at(-1) as Run
    // A connection that was opened later may have been read first. Then this run is known already, and so are later ones.
    const known = this.#runs.findIndex(({ id }) => isSameRun(id, last))
    if (known >= 0 && known < this.#runs.length - 1) return
    this.#runs = loaded
    this.#key = rows[0].key
  }
}
