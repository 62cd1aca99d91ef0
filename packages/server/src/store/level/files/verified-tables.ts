import type { Stats } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../clock.ts'
import { crc32c } from './crc32c.ts'

/** The file beside the store that records which tables were found intact, and when. */
export const verifiedFile = 'verified'

const dayMs = 86_400_000
/** A running server verifies a table again after this time. */
export const verifiedAgainMs: number = dayMs
/** A start relies on results from within this time. A running server has verified each table in it. */
const reliedOnMs = 2 * dayMs

/** When a table was found intact, and the identity of the file. */
interface Found {
  readonly file: string
  readonly atMs: number
}

/**
 * Records which tables were recently found intact, so a start need not read all of a large store. A table never changes once it
 * is written. If it was copied, replaced or written to since, it is another file, and counts as never verified. The same holds
 * for each table after the machine was restarted: the verified data may have been in its memory, and not yet, or no longer, on
 * the disk.
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

  /** Reads the record in a data folder. An absent or damaged record counts as empty. */
  static async read(folder: string): Promise<VerifiedTables> {
    const path = join(folder, verifiedFile)
    const text = await readFile(path, 'latin1').catch(() => '')
    return new VerifiedTables(path, await bootName(), parse(text))
  }

  /** Whether a start may rely on this table being intact. */
  isReliedOn(name: string, stats: Stats, nowMs: number): boolean {
    return this.#ageMs(name, stats, nowMs) <= reliedOnMs
  }

  /** Whether a running server must verify it now. */
  isDue(name: string, stats: Stats, nowMs: number): boolean {
    return this.#ageMs(name, stats, nowMs) >= verifiedAgainMs
  }

  /** `stats` are from before the table was read. */
  noteWhole(name: string, stats: Stats, nowMs: number): void {
    this.#found.set(name, { file: this.#fileOf(stats), atMs: nowMs })
    this.#isChanged = true
  }

  /** Forgets all other tables, because the database no longer has them. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#found.keys()) {
      if (names.has(name)) continue
      this.#found.delete(name)
      this.#isChanged = true
    }
  }

  /** Removes the record, even on a full disk. The next start verifies all tables. */
  async remove(): Promise<void> {
    this.#found.clear()
    await rm(this.#path, { force: true })
  }

  /**
   * Writes the record, if anything changed. Rejects with the error of the disk. The only consequence is that a later start has
   * more to verify.
   */
  async write(): Promise<void> {
    if (!this.#isChanged) return
    this.#isChanged = false
    const lines = [...this.#found].map(([name, { file, atMs }]) => `${name} ${file} ${atMs}\n`).join('')
    await writeFile(`${this.#path}.new`, `${lines}${checksumOf(lines)}\n`, { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
  }

  /** A time in the future was written by a wrong clock. */
  #ageMs(name: string, stats: Stats, nowMs: number): number {
    const found = this.#found.get(name)
    if (!found || found.file !== this.#fileOf(stats) || found.atMs > nowMs) return Number.POSITIVE_INFINITY
    return nowMs - found.atMs
  }

  #fileOf({ dev, ino, size, mtimeMs }: Stats): string {
    return [this.#boot, dev, ino, size, mtimeMs].join(':')
  }
}

/**
 * Returns a different name after each start of the machine. On Linux, this is the system's own boot id. Elsewhere it is the
 * time of the start, to a quarter of an hour.
 */
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
