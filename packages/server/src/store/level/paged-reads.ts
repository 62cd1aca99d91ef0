import type { AbstractLevel } from 'abstract-level'
import { turnForSlice } from '../../turns.ts'
import type { KeyRange } from './keys.ts'
import type { ReadGate } from './read-gate.ts'

/** Any database of the Level family, with text keys and bytes for values. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>

type Page = KeyRange & { limit: number }

/** As many entries as are read and decoded without a pause. */
const entriesAtOnce = 250

/**
 * Reads of a database that is closed and opened again now and then. A range is read a page at a time, each as it stands when it
 * is read: an iterator that was begun before the database was closed could not go on after it, and a large range at once
 * would hold up all others [S3].
 */
export class PagedReads {
  readonly #database: LevelDatabase
  readonly #gate: ReadGate

  constructor(database: LevelDatabase, gate: ReadGate) {
    this.#database = database
    this.#gate = gate
  }

  getMany(wanted: string[]): Promise<(Uint8Array | undefined)[]> {
    if (wanted.length === 0) return Promise.resolve([])
    return this.#gate.read(() => this.#database.getMany(wanted))
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0]
  }

  /** All entries of a range as of one moment. For small ranges only. */
  all(range: KeyRange): Promise<[string, Uint8Array][]> {
    return this.#gate.read(() => this.#database.iterator(range).all())
  }

  async *entries(range: KeyRange): AsyncIterable<[string, Uint8Array]> {
    for await (const page of this.pages(range)) yield* page
  }

  async *keys(range: KeyRange): AsyncIterable<string> {
    const read = (part: Page): Promise<string[]> => this.#gate.read(() => this.#database.keys(part).all())
    for await (const page of inPages(range, read, key => key)) yield* page
  }

  pages(range: KeyRange): AsyncIterable<[string, Uint8Array][]> {
    const read = (part: Page): Promise<[string, Uint8Array][]> =>
      this.#gate.read(() => this.#database.iterator(part).all())
    return inPages(range, read, ([key]) => key)
  }
}

async function* inPages<T>(
  { gt, lt }: KeyRange,
  read: (page: Page) => Promise<T[]>,
  keyOf: (one: T) => string,
): AsyncIterable<T[]> {
  for (let after: string | undefined = gt; after !== undefined; ) {
    const page: T[] = await read({ gt: after, lt, limit: entriesAtOnce })
    // Its reader goes through the page without a pause.
    if (page.length === entriesAtOnce) await turnForSlice()
    if (page.length > 0) yield page
    const last = page.at(-1)
    after = last === undefined || page.length < entriesAtOnce ? undefined : keyOf(last)
  }
}
