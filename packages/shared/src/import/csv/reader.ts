import { maxSampleBytes } from '../bounds.ts'
import type { Effort } from '../effort.ts'
import type { ContactEntry } from '../entry.ts'
import { bytesOf } from '../text/bytes.ts'
import { decoderOf, decodeUtf8 } from '../text/charset.ts'
import { guessCharset } from '../text/guess.ts'
import type { Line } from '../text/lines.ts'
import { type ColumnKind, knownColumns } from './columns.ts'
import { fieldsOf } from './fields.ts'
import { type CsvRecord, RecordJoiner } from './records.ts'
import { entryOfRow, kindsOf } from './rows.ts'

const delimiters = [',', ';', '\t', '|'] as const

/**
 * Makes an entry of each row of a CSV file. The first row is the header if it contains a known column; the delimiter is the one
 * that finds most of them. If the header is in another language, or there is none, each row, including the first, gives an
 * entry with a diagnosis: the content of columns is never guessed.
 */
export class CsvReader {
  readonly #effort: Effort
  readonly #take: (entry: ContactEntry) => void
  #rows: { joiner: RecordJoiner; kinds: ColumnKind[] | undefined } | undefined
  #index = 0
  /** The last character set that was guessed. */
  #charset: string | undefined

  constructor(effort: Effort, take: (entry: ContactEntry) => void) {
    this.#effort = effort
    this.#take = take
  }

  push(line: Line): void {
    if (!this.#rows) {
      if (line.text.trim() === '') return
      const named = /^"?sep=(.)"?\s*$/i.exec(line.text)?.[1]
      const delimiter = named ?? this.#likelyDelimiter(line.text)
      const joiner = new RecordJoiner(delimiter, this.#effort, record => this.#record(record, delimiter))
      this.#rows = { joiner, kinds: undefined }
      if (named) return
    }
    this.#rows.joiner.push(line)
  }

  end(): void {
    this.#rows?.joiner.end()
  }

  #likelyDelimiter(header: string): string {
    const sample = header.slice(0, maxSampleBytes)
    this.#effort.visited += 2 * delimiters.length * sample.length
    let best = ','
    let most = -1
    for (const delimiter of delimiters) {
      const { fields } = fieldsOf(sample, delimiter)
      const points = knownColumns(fields) * maxSampleBytes + fields.length
      if (points <= most) continue
      best = delimiter
      most = points
    }
    return best
  }

  #record(record: CsvRecord, delimiter: string): void {
    const rows = this.#rows
    if (!rows) return
    const { text, reason } = this.#decoded(record.text)
    this.#effort.visited += text.length
    const { fields, isBroken } = fieldsOf(text, delimiter)
    if (rows.kinds === undefined) {
      const kinds = kindsOf(fields)
      rows.kinds = kinds.some(Boolean) ? kinds : []
      if (rows.kinds.length > 0) return
    }
    const reasons = [...record.reasons]
    if (reason !== undefined) reasons.push(reason)
    if (isBroken && reasons.length === 0) reasons.push('A quote stands where none may be')
    if (rows.kinds.length === 0) reasons.push('The first row names no column that is known, in English')
    this.#take({ index: this.#index++, ...entryOfRow(fields, rows.kinds, record.line, reasons) })
  }

  #decoded(binary: string): { text: string; reason?: string } {
    const text = decodeUtf8(binary, this.#effort)
    if (text !== undefined)
      return text.includes('\ufffd') ? { text, reason: 'The row has bytes that are no text' } : { text }
    const sample = bytesOf(binary.slice(0, maxSampleBytes))
    const label = guessCharset(sample, { previous: this.#charset }, this.#effort)
    this.#charset = label
    this.#effort.visited += binary.length
    return {
      text: decoderOf(label)?.decode(bytesOf(binary)) ?? binary,
      reason: `The row is not UTF-8, and was read as ${label}`,
    }
  }
}
