import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../clock.ts'
import { turnForSlice } from '../../../turns.ts'
import { readFileSet } from '../backup/file-set.ts'
import { damagesOf } from './damage.ts'
import type { Damage } from './log-damage.ts'
import type { Table } from './manifest.ts'
import { type DamagedPart, verifyInSlices } from './table-file.ts'
import { VerifiedTables, verifiedAgainMs } from './verified-tables.ts'

/** Between two tables, at most; less where there are so many that a day would not suffice. */
const restMs = 1_000
/** Between two rounds over all tables. New tables are verified in the first round after they were written. */
const betweenRoundsMs = 60_000
const tablesBetweenNotes = 32

export interface ScrubbingOptions {
  readonly clock: Clock
  /** Hears what is damaged; nothing is looked at after that. */
  readonly found: (damages: readonly Damage[]) => void
}

/**
 * Verifies the tables of a data folder while a server serves it: each when it is new, and once a day. So a start needs to
 * verify only what no server has looked at for long, and damage is found while the server runs.
 */
export class Scrubbing {
  readonly #folder: string
  readonly #options: ScrubbingOptions
  #working: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #isClosed = false

  private constructor(folder: string, options: ScrubbingOptions) {
    this.#folder = folder
    this.#options = options
  }

  /** Begins after a minute: first the server has other things to do. */
  static begin(folder: string, options: ScrubbingOptions): Scrubbing {
    const scrubbing = new Scrubbing(folder, options)
    scrubbing.#later(betweenRoundsMs, () => scrubbing.#round())
    return scrubbing
  }

  /** Resolves when no file is being read. Can be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#working
  }

  #later(delayMs: number, work: () => Promise<void>): void {
    if (this.#isClosed) return
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#working = work()
    })
  }

  async #round(): Promise<void> {
    // While files are being replaced it is not known which there are. The next round tells.
    const files = await readFileSet(join(this.#folder, 'store')).catch(() => undefined)
    const verified = await VerifiedTables.read(this.#folder)
    if (files) verified.keep(new Set(files.tables.map(nameOf)))
    await this.#next(verified, files?.tables ?? [], 0)
  }

  /** The next table that is due, then a rest. */
  async #next(verified: VerifiedTables, tables: readonly Table[], from: number): Promise<void> {
    for (let index = from; index < tables.length && !this.#isClosed; index++) {
      const table = tables[index] as Table
      const parts = await this.#verify(verified, table)
      if (parts === 'not due') continue
      if (parts.length > 0) {
        verified.noteDamaged(nameOf(table))
        await verified.write().catch(() => undefined)
        return this.#options.found(damagesOf(nameOf(table), table, parts))
      }
      // A process that is killed has noted most of what it did.
      if (index % tablesBetweenNotes === 0) await verified.write().catch(() => undefined)
      const rest = Math.min(restMs, verifiedAgainMs / 2 / tables.length)
      return this.#later(rest, () => this.#next(verified, tables, index + 1))
    }
    // What can't be noted is verified again.
    await verified.write().catch(() => undefined)
    this.#later(betweenRoundsMs, () => this.#round())
  }

  async #verify(verified: VerifiedTables, table: Table): Promise<readonly DamagedPart[] | 'not due'> {
    const name = nameOf(table)
    const path = join(this.#folder, 'store', name)
    const nowMs = this.#options.clock.now()
    try {
      const stats = await stat(path)
      if (!verified.isDue(name, stats, nowMs)) return 'not due'
      const verifying = verifyInSlices(await readFile(path))
      for (;;) {
        const step = verifying.next()
        if (!step.done) {
          await turnForSlice()
          continue
        }
        if (step.value.length === 0) verified.noteWhole(name, stats, nowMs)
        return step.value
      }
    } catch {
      // LevelDB has replaced it by others. A disk that can't be read shows itself to those who need what is on it.
      return 'not due'
    }
  }
}

function nameOf({ number }: Table): string {
  return `${String(number).padStart(6, '0')}.ldb`
}
