import type { Database, Statement } from './database.ts'

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

/** Keeps the log short: what was overwritten lies in it too [V5]. Any node does it, and all may. */
export class LogTrimming {
  readonly intervalMs = 10_000
  readonly #database: Database
  #isRunning = false

  constructor(database: Database) {
    this.#database = database
  }

  trim(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#database
      .rows(deleteOld)
      // The next time will do.
      .catch(() => undefined)
      .finally(() => {
        this.#isRunning = false
      })
  }
}
