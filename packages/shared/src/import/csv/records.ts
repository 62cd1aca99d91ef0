import { maxRecordBytes } from '../bounds.ts'
import type { Effort } from '../effort.ts'
import type { Line } from '../text/lines.ts'

/** A row of a CSV file: one line, or several if a quoted field contains line ends. */
export interface CsvRecord {
  /** One character per byte. */
  text: string
  /** The line at which it begins. */
  line: number
  /** The problems of the row; empty if there are none. */
  reasons: string[]
}

/**
 * Joins lines into rows. papaparse splits a row into fields, but this class decides where a row ends: in papaparse, a quote
 * that is never closed makes one field of the rest of the file. Here, such a quote ends with its line once the row is too long
 * or the file ends, and the following lines are separate rows.
 */
export class RecordJoiner {
  readonly #delimiter: string
  readonly #effort: Effort
  readonly #take: (record: CsvRecord) => void
  #lines: Line[] = []
  #bytes = 0
  #isQuoted = false

  constructor(delimiter: string, effort: Effort, take: (record: CsvRecord) => void) {
    this.#delimiter = delimiter
    this.#effort = effort
    this.#take = take
  }

  push(line: Line): void {
    if (this.#lines.length === 0 && line.text.trim() === '') return
    this.#effort.visited += line.text.length
    this.#lines.push(line)
    this.#bytes += line.text.length + 1
    this.#isQuoted = endsQuoted(line.text, this.#delimiter, this.#isQuoted)
    if (!this.#isQuoted) this.#takeAll()
    else if (this.#bytes > maxRecordBytes) this.#takeEach()
  }

  end(): void {
    this.#takeEach()
  }

  #takeAll(): void {
    const [first] = this.#lines
    if (!first) return
    const reasons = this.#lines.some(({ isCut }) => isCut) ? [tooLong] : []
    this.#take({ text: this.#lines.map(({ text }) => text).join('\n'), line: first.number, reasons })
    this.#clear()
  }

  #takeEach(): void {
    for (const [index, { text, number, isCut }] of this.#lines.entries()) {
      if (text.trim() === '') continue
      const reasons = isCut ? [tooLong] : []
      if (index === 0) reasons.push('A quote is opened and not closed')
      this.#take({ text, line: number, reasons })
    }
    this.#clear()
  }

  #clear(): void {
    this.#lines = []
    this.#bytes = 0
    this.#isQuoted = false
  }
}

const tooLong = 'A line is too long, and was cut off'

/** Whether a field is still in quotes at the end of a line. A quote within a field that does not start with one is ignored. */
function endsQuoted(text: string, delimiter: string, wasQuoted: boolean): boolean {
  let isQuoted = wasQuoted
  let isFieldStart = !wasQuoted
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (isQuoted) {
      if (character !== '"') continue
      if (text[index + 1] === '"') index++
      else isQuoted = false
    } else if (character === '"' && isFieldStart) {
      isQuoted = true
      isFieldStart = false
    } else isFieldStart = character === delimiter
  }
  return isQuoted
}
