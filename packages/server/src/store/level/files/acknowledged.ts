import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from './crc32c.ts'

/** The file beside the store that contains the position up to which commits were acknowledged. */
export const acknowledgedFile = 'acknowledged'

const pattern = /^(\d{16}) ([0-9a-f]{8})\n$/

/**
 * Records what was acknowledged, outside the database. The database cannot record this itself: a log that lost its end looks
 * like one that ended there. The file is written in place after each batch, before the batch is acknowledged. It is not synced,
 * so it costs a few microseconds. After `kill -9` it is exact; after a power failure it may be some seconds old. It is never
 * ahead of the store, whose write was synced before.
 */
export class Acknowledged {
  readonly #file: number
  #isClosed = false

  constructor(folder: string, position: number) {
    const path = join(folder, acknowledgedFile)
    // The file is complete before it gets its name, and is then written in place, so the number is present at every moment.
    writeFileSync(`${path}.new`, encode(position), { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
    this.#file = openSync(path, 'r+')
  }

  write(position: number): void {
    try {
      writeSync(this.#file, encode(position), 0)
    } catch {
      // The old content is still true. The store reports to the next caller that the disk cannot be written.
    }
  }

  /** Can be called twice. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    fsyncSync(this.#file)
    closeSync(this.#file)
  }
}

/**
 * Returns the position up to which everything was acknowledged. Returns `undefined` if there is no such file, and `'damaged'`
 * if it has no valid content.
 */
export function readAcknowledged(folder: string): number | 'damaged' | undefined {
  let text: string
  try {
    text = readFileSync(join(folder, acknowledgedFile), 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const digits = pattern.exec(text)?.[1]
  return digits !== undefined && encode(Number(digits)) === text ? Number(digits) : 'damaged'
}

function encode(position: number): string {
  const digits = String(position).padStart(16, '0')
  return `${digits} ${crc32c(new TextEncoder().encode(digits)).toString(16).padStart(8, '0')}\n`
}
