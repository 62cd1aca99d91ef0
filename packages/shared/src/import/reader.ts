import { CsvReader } from './csv/reader.ts'
import { Effort } from './effort.ts'
import type { ContactEntry } from './entry.ts'
import { formatLines, type PhoneBookFormat, saysVcard } from './format.ts'
import { type Line, LineSplitter } from './text/lines.ts'
import { Transcoder } from './text/transcode.ts'
import { VcardReader } from './vcard/reader.ts'

/**
 * Reads a phone book, in pieces of any size: vCard 2.1, 3.0 and 4.0, or CSV. Each card or row gives one entry, even if it is
 * broken, and no bytes make it throw. Its memory is bounded (`bounds.ts`), and its time is linear in the length of the file.
 */
export class PhoneBookReader {
  readonly #effort: Effort = new Effort()
  readonly #transcoder: Transcoder = new Transcoder()
  readonly #splitter: LineSplitter
  #lines: VcardReader | CsvReader | undefined
  /** The first lines, until they determine the format. */
  #head: Line[] = []
  #headBytes = 0
  #entries: ContactEntry[] = []

  /** Without a format, the first lines determine it. */
  constructor(format?: PhoneBookFormat) {
    this.#splitter = new LineSplitter(this.#effort, line => this.#line(line))
    if (format) this.#lines = this.#readerOf(format)
  }

  /** The number of bytes and characters visited so far. */
  get visited(): number {
    return this.#effort.visited
  }

  /** Adds the next bytes. Returns the entries that they complete. */
  push(bytes: Uint8Array): ContactEntry[] {
    this.#splitter.push(this.#transcoder.push(bytes))
    return this.#taken()
  }

  /** Returns the entries that the end of the file completes. */
  end(): ContactEntry[] {
    this.#splitter.push(this.#transcoder.end())
    this.#splitter.end()
    this.#choose('csv').end()
    return this.#taken()
  }

  #line(line: Line): void {
    if (this.#lines) return this.#lines.push(line)
    const isBlank = line.text.trim() === ''
    const isVcard = !isBlank && saysVcard(line, this.#head.length === 0)
    if (!isBlank) this.#head.push(line)
    this.#headBytes += line.text.length
    if (isVcard) this.#choose('vcard')
    else if (this.#head.length >= formatLines || this.#headBytes > maxHeadBytes) this.#choose('csv')
  }

  #choose(format: PhoneBookFormat): VcardReader | CsvReader {
    this.#lines ??= this.#readerOf(format)
    const head = this.#head
    this.#head = []
    for (const line of head) this.#lines.push(line)
    return this.#lines
  }

  #readerOf(format: PhoneBookFormat): VcardReader | CsvReader {
    const take = (entry: ContactEntry): void => void this.#entries.push(entry)
    return format === 'vcard' ? new VcardReader(this.#effort, take) : new CsvReader(this.#effort, take)
  }

  #taken(): ContactEntry[] {
    const entries = this.#entries
    this.#entries = []
    return entries
  }
}

const maxHeadBytes = 64 * 1024
