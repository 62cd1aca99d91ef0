import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../clock.ts'
import { turnForSlice } from '../../../turns.ts'
import { readFileSet } from '../backup/file-set.ts'
import { damagesOf } from './damage.ts'
import type { Damage } from './log-damage.ts'
import { type DamagedPart, verifyInSlices } from './table-file.ts'
import { VerifiedTables, verifiedAgainMs } from './verified-tables.ts'

/** The longest pause between two tables. It is shorter if there are so many tables that a day would not suffice. */
const restMs = 1_000
/** The pause between two rounds over all tables. */
const betweenRoundsMs = 600_000
/** A table that was written within this time may be incomplete. */
const writingMs = 120_000
const tablesBetweenNotes = 32

export interface ScrubbingOptions {
  readonly clock: Clock
  /** Called with the damage that was found. Nothing is verified after that. */
  readonly found: (damages: readonly Damage[]) => void
}

/**
 * Verifies the tables of a data folder while a server serves it: each table when it is new, and once a day. So a start has to
 * verify only tables that no server has verified for a long time, and damage is found while the server runs.
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

  /** Starts after a delay, because the server has other things to do first. */
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
    const files = await readdir(join(this.#folder, 'store')).catch(() => [])
    const tables = files.filter(name => /\.(ldb|sst)$/.test(name))
    const verified = await VerifiedTables.read(this.#folder)
    verified.keep(new Set(tables))
    await this.#next(verified, tables, 0)
  }

  /** Verifies the next table that is due, then pauses. */
  async #next(verified: VerifiedTables, tables: readonly string[], from: number): Promise<void> {
    for (let index = from; index < tables.length && !this.#isClosed; index++) {
      const name = tables[index] as string
      const parts = await this.#verify(verified, name)
      if (parts === 'not due') continue
      const damages = parts.length > 0 ? await this.#damages(name, parts) : []
      if (damages.length > 0) {
        await verified.remove().catch(() => undefined)
        return this.#options.found(damages)
      }
      // So a killed process has recorded most of its work.
      if (index % tablesBetweenNotes === 0) await verified.write().catch(() => undefined)
      const rest = Math.min(restMs, verifiedAgainMs / 2 / tables.length)
      return this.#later(rest, () => this.#next(verified, tables, index + 1))
    }
    // If the record cannot be written, the tables are verified again.
    await verified.write().catch(() => undefined)
    this.#later(betweenRoundsMs, () => this.#round())
  }

  async #verify(verified: VerifiedTables, name: string): Promise<readonly DamagedPart[] | 'not due'> {
    const path = join(this.#folder, 'store', name)
    const nowMs = this.#options.clock.now()
    try {
      const stats = await stat(path)
      const isBeingWritten = Math.abs(nowMs - stats.mtimeMs) < writingMs
      if (isBeingWritten || !verified.isDue(name, stats, nowMs)) return 'not due'
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
    } catch (error) {
      // EIO: the disk cannot read it. Any other error is temporary, or LevelDB has replaced the table by others.
      return (error as NodeJS.ErrnoException).code === 'EIO' ? [{ at: 0 }] : 'not due'
    }
  }

  /** Returns what these damaged parts mean for the database. Empty for a table that it no longer has, or does not have yet. */
  async #damages(name: string, parts: readonly DamagedPart[]): Promise<readonly Damage[]> {
    // While files are being replaced, it is not known which ones exist. The next round will find out.
    const files = await readFileSet(join(this.#folder, 'store')).catch(() => undefined)
    const table = files?.tables.find(({ number }) => number === Number.parseInt(name, 10))
    return table ? damagesOf(name, table, parts) : []
  }
}
