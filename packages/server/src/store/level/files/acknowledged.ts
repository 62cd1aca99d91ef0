import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c } from './crc32c.ts'

/** The file beside the store that says up to which position it has answered. */
export const acknowledgedFile = 'acknowledged'

const pattern = /^(\d{16}) ([0-9a-f]{8})\n$/

/**
 * A witness of what was acknowledged, which no database can be of itself: a log that lost its end looks like one that ended
 * there. Written in place after each batch and before the batch is answered, and not synced, so it costs a few microseconds:
 * after `kill -9` it is exact, after a power cut some seconds old. Never ahead of the store, whose write was synced before.
 */
export class Acknowledged {
  readonly #file: number
  #isClosed = false

  constructor(folder: string, position: number) {
    const path = join(folder, acknowledgedFile)
    // Whole before it has its name, and then written in place: at no moment is the number gone.
    writeFileSync(`${path}.new`, encode(position), { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
    this.#file = openSync(path, 'r+')
  }

  write(position: number): void {
    try {
      writeSync(this.#file, encode(position), 0)
    } catch {
      // What stands there is still true, only older. The store tells the next caller that the disk cannot be written.
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

/** The position up to which all was answered; `undefined` without such a file, `'damaged'` when it says nothing. */
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
