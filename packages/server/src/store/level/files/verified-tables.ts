import type { Stats } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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
 * written. One that was copied, replaced or written to since is another file: it counts as never verified.
 */
export class VerifiedTables {
  readonly #path: string
  readonly #found: Map<string, Found>
  #isChanged = false

  private constructor(path: string, found: Map<string, Found>) {
    this.#path = path
    this.#found = found
  }

  /** Reads what was noted in a data folder. A note that is absent or damaged says nothing. */
  static async read(folder: string): Promise<VerifiedTables> {
    const path = join(folder, verifiedFile)
    const text = await readFile(path, 'latin1').catch(() => '')
    return new VerifiedTables(path, parse(text))
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
    this.#found.set(name, { file: fileOf(stats), atMs: nowMs })
    this.#isChanged = true
  }

  noteDamaged(name: string): void {
    this.#found.delete(name)
    this.#isChanged = true
  }

  /** Forgets all others: tables that the database has no more. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#found.keys()) if (!names.has(name)) this.noteDamaged(name)
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
    if (!found || found.file !== fileOf(stats) || found.atMs > nowMs) return Number.POSITIVE_INFINITY
    return nowMs - found.atMs
  }
}

function fileOf({ dev, ino, size, mtimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs].join(':')
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
