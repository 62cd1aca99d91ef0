import { maxValueBytes } from '../bounds.ts'
import type { Effort } from '../effort.ts'
import { binaryOf } from './bytes.ts'

/** A line of a file, without its end. */
export interface Line {
  /** One character per byte. */
  text: string
  /** From 1. */
  number: number
  /** Whether it was longer than `maxValueBytes`, and its rest is missing. */
  isCut: boolean
}

const lf = 10
const cr = 13

/**
 * Splits bytes into lines. CR LF, LF, CR alone and CR CR LF (a CR LF that was converted twice) end a line: any number of CRs
 * before an LF is one line end, and without an LF, each CR is one.
 */
export class LineSplitter {
  readonly #take: (line: Line) => void
  readonly #effort: Effort
  #text = ''
  #isCut = false
  #number = 1
  /** The number of CRs that were read, and that an LF may follow. */
  #crs = 0

  constructor(effort: Effort, take: (line: Line) => void) {
    this.#effort = effort
    this.#take = take
  }

  push(bytes: Uint8Array): void {
    this.#effort.visited += bytes.length
    let from = 0
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]
      if (byte === cr) {
        if (this.#crs === 0) this.#append(bytes, from, index)
        this.#crs++
      } else if (byte === lf) {
        if (this.#crs === 0) this.#append(bytes, from, index)
        this.#crs = 0
        this.#endLine()
        from = index + 1
      } else if (this.#crs > 0) {
        this.#endAtCrs()
        from = index
      }
    }
    if (this.#crs === 0) this.#append(bytes, from, bytes.length)
  }

  /** Ends the file, and with it its last line, unless that is empty. */
  end(): void {
    this.#endAtCrs()
    if (this.#text !== '') this.#endLine()
  }

  #endAtCrs(): void {
    for (; this.#crs > 0; this.#crs--) this.#endLine()
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    if (from >= to) return
    const room = maxValueBytes - this.#text.length
    if (to - from > room) this.#isCut = true
    this.#text += binaryOf(bytes.subarray(from, Math.min(to, from + room)))
  }

  #endLine(): void {
    const line = { text: this.#text, number: this.#number, isCut: this.#isCut }
    this.#text = ''
    this.#isCut = false
    this.#number++
    this.#take(line)
  }
}
