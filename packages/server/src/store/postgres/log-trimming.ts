import type { Clock } from '../../clock.ts'
import type { Database, Statement } from './database.ts'
import { removeLapsed } from './lapsing.ts'

/** The number of batches that are deleted together. */
const mostRows = 1_000

/** If a node is further behind, its sessions are ended. A device requests fewer positions (`relay/changed-levels.ts`). */
export const keptPositions = 5_000

const deleteOld: Statement = {
  name: 'kith-trim',
  text: `delete from log where last in (
    select last from log where at < now() - interval '10 minutes' and last <= (select position from head) - ${keptPositions}
    order by last limit ${mostRows})`,
}

/** Of the days that ended more than 90 days ago, only the last one is needed: it determines the oldest cursor. */
const deleteDays: Statement = {
  name: 'kith-trim-days',
  text: `delete from day where start_ms < (select max(start_ms) from day where start_ms <= $1 - 90 * 86400000::bigint)`,
}

/**
 * Keeps the log short, because it also contains overwritten values [V5]. Removes lapsed records. Any node does it, and all may.
 */
export class LogTrimming {
  readonly intervalMs = 10_000
  readonly #database: Database
  readonly #clock: Clock
  #isRunning = false
  #isRemoving = false

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  trim(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    Promise.all([this.#database.rows(deleteOld), this.#database.rows({ ...deleteDays, values: [this.#clock.now()] })])
      // The next run will do it.
      .catch(() => undefined)
      .finally(() => {
        this.#isRunning = false
      })
  }

  /** Runs beside the trimming, because it may take many times as long. */
  removeLapsed(): void {
    if (this.#isRemoving) return
    this.#isRemoving = true
    removeLapsed(this.#database, this.#clock)
      // A later day will do it.
      .catch(() => undefined)
      .finally(() => {
        this.#isRemoving = false
      })
  }
}
