import type { Clock } from '../../clock.ts'
import type { Database, Statement } from './database.ts'
import { removeLapsed } from './lapsing.ts'

/** As many batches as are deleted at once. */
const mostRows = 1_000

/** A node that is behind by more finds its sessions ended; a device asks for less (`relay/changed-levels.ts`). */
const keptPositions = 5_000

const deleteOld: Statement = {
  name: 'kith-trim',
  text: `delete from log where last in (
    select last from log where at < now() - interval '10 minutes' and last <= (select position from head) - ${keptPositions}
    order by last limit ${mostRows})`,
}

/** Of the days that are over for 90 days the last tells which cursor is the oldest; those before it tell nothing. */
const deleteDays: Statement = {
  name: 'kith-trim-days',
  text: `delete from day where start_ms < (select max(start_ms) from day where start_ms <= $1 - 90 * 86400000::bigint)`,
}

/** Keeps the log short: what was overwritten lies in it too [V5]. Removes what has lapsed. Any node does it, and all may. */
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
      // The next time will do.
      .catch(() => undefined)
      .finally(() => {
        this.#isRunning = false
      })
  }

  /** Beside the log, which it may take many times as long as. */
  removeLapsed(): void {
    if (this.#isRemoving) return
    this.#isRemoving = true
    removeLapsed(this.#database, this.#clock)
      // Another day will do.
      .catch(() => undefined)
      .finally(() => {
        this.#isRemoving = false
      })
  }
}
