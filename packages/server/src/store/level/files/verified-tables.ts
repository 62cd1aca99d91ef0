import type { Stats } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../clock.ts'
import { crc32c } from './crc32c.ts'

/** The file beside the store that says which tables were found whole, and when. */
export const verifiedFile = 'verified'

const dayMs = 86_400_000
/** A running server verifies a table again after this time. */
export const verifiedAgainMs: number = dayMs
/** A start relies on what was found within this time: a server that runs has looked at each table since. */
const reliedOnMs = 2 * dayMs

/** When a table was found whole, and which file that was. */
interface Found {
  readonly file: string
  readonly atMs: number
}

/**
 * Which tables were found whole lately, so that a start needs not read all of a large store. A table never changes once it is
 * written. One that was copied, replaced or written to since is another file: it counts as never verified. So does each after
 * the machine was started anew: what was verified may have been in its memory, and not yet, or no longer, on the disk.
 */
export class VerifiedTables {
  readonly #path: string
  readonly #boot: string
  readonly #found: Map<string, Found>
  #isChanged = false

  private constructor(path: string, boot: string, found: Map<string, Found>) {
    this.#path = path
    this.#boot = boot
    this.#found = found
  }

  /** Reads what was noted in a data folder. A note that is absent or damaged says nothing. */
  static async read(folder: string): Promise<VerifiedTables> {
    const path = join(folder, verifiedFile)
    const text = await readFile(path, 'latin1').catch(() => '')
    return new VerifiedTables(path, await bootName(), parse(text))
  }

  /** Whether a start relies on it that this table is whole. */
  isReliedOn(name: string, stats: Stats, nowMs: number): boolean {
    return this.#ageMs(name, stats, nowMs) <= reliedOnMs
  }

  /** Whether a running server is to verify it now. */
  isDue(name: string, stats: Stats, nowMs: number): boolean {
    return this.#ageMs(name, stats, nowMs) >= verifiedAgainMs
  }

  /** `stats` are from before the table was read. */
  noteWhole(name: string, stats: Stats, nowMs: number): void {
    this.#found.set(name, { file: this.#fileOf(stats), atMs: nowMs })
    this.#isChanged = true
  }

  /** Forgets all others: tables that the database has no more. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#found.keys()) {
      if (names.has(name)) continue
      this.#found.delete(name)
      this.#isChanged = true
    }
  }

  /** Removes the note, also on a full disk: the next start verifies all tables. */
  async remove(): Promise<void> {
    this.#found.clear()
    await rm(this.#path, { force: true })
  }

  /** Writes it, if anything changed. Rejects with the error of the disk: then a later start has more to verify, and that is all. */
  async write(): Promise<void> {
    if (!this.#isChanged) return
    this.#isChanged = false
    const lines = [...this.#found].map(([name, { file, atMs }]) => `${name} ${file} ${atMs}\n`).join('')
    await writeFile(`${this.#path}.new`, `${lines}${checksumOf(lines)}\n`, { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
  }

  /** A time to come was noted by a wrong clock. */
  #ageMs(name: string, stats: Stats, nowMs: number): number {
    const found = this.#found.get(name)
    if (!found || found.file !== this.#fileOf(stats) || found.atMs > nowMs) return Number.POSITIVE_INFINITY
    return nowMs - found.atMs
  }

  #fileOf({ dev, ino, size, mtimeMs }: Stats): string {
    return [this.#boot, dev, ino, size, mtimeMs].join(':')
  }
}

/** Another one after each start of the machine: by Linux's own name for it, elsewhere by its time, to the quarter of an hour. */
async function bootName(): Promise<string> {
  const minutes = systemClock.now() / 60_000 - uptime() / 60
  const named = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => undefined)
  return named?.trim() ?? String(Math.round(minutes / 15))
}

function parse(text: string): Map<string, Found> {
  const found = new Map<string, Found>()
  const end = text.lastIndexOf('\n', text.length - 2) + 1
  const lines = text.slice(0, end)
  if (text.slice(end) !== `${checksumOf(lines)}\n`) return found
  for (const line of lines.split('\n')) {
    const [name = '', file = '', at = ''] = line.split(' ')
    if (name !== '') found.set(name, { file, atMs: Number(at) })
  }
  return found
}

function checksumOf(lines: string): string {
  return crc32c(Buffer.from(lines, 'latin1')).toString(16).padStart(8, '0')
}
