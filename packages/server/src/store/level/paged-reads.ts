import { type Turn, turnForSlice } from '../../turns.ts'
import type { KeyRange } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import type { ReadGate } from './read-gate.ts'
import { readRange } from './read-range.ts'
import { getManyOver, type Page, pageOver } from './stage/overlaid-reads.ts'
import type { Overlay } from './stage/overlay.ts'

type Part = KeyRange & { limit: number }

/** The number of entries that are read and decoded in one slice. */
const entriesAtOnce = 250

/**
 * Reads of a database that is sometimes closed and opened again. A range is read a page at a time, each page in its state when
 * it is read. An iterator that was begun before the database was closed could not continue after it, and reading a large range
 * in one piece would block all other work [S3].
 */
export class PagedReads {
  readonly #database: LevelDatabase
  readonly #gate: ReadGate
  #stage: { readonly overlay: Overlay | undefined } | undefined

  constructor(database: LevelDatabase, gate: ReadGate) {
    this.#database = database
    this.#gate = gate
  }

  /** From now on, all reads are overlaid with what is staged. */
  layOver(stage: { readonly overlay: Overlay | undefined }): void {
    this.#stage = stage
  }

  /** Consistent, because Level reads many keys from one snapshot. */
  getMany(wanted: string[]): Promise<(Uint8Array | undefined)[]> {
    if (wanted.length === 0) return Promise.resolve([])
    return this.#gate.read(() => {
      const overlay = this.#stage?.overlay
      return overlay ? getManyOver(this.#database, overlay, wanted) : this.#database.getMany(wanted)
    })
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0]
  }

  /** Returns all entries of a range from one snapshot. For small ranges only. */
  async all(range: KeyRange): Promise<[string, Uint8Array][]> {
    return (await this.#page({ ...range, limit: Number.POSITIVE_INFINITY })).entries
  }

  async *entries(range: KeyRange): AsyncIterable<[string, Uint8Array]> {
    for await (const page of this.pages(range)) yield* page
  }

  async *keys(range: KeyRange, turn: Turn = turnForSlice): AsyncIterable<string> {
    for await (const page of this.keyPages(range, turn)) yield* page
  }

  /** `turn`: called between two pages. */
  keyPages(range: KeyRange, turn: Turn = turnForSlice): AsyncIterable<string[]> {
    return inPages(range, part => this.#keys(part), turn)
  }

  /** Returns the first keys of a range, from one snapshot. */
  async firstKeys(range: KeyRange, most: number): Promise<string[]> {
    return (await this.#keys({ ...range, limit: most })).found
  }

  /** `turn`: called between two pages. */
  pages(range: KeyRange, turn: Turn = turnForSlice): AsyncIterable<[string, Uint8Array][]> {
    const read = async (part: Part): Promise<Found<[string, Uint8Array]>> => {
      const { entries, next } = await this.#page(part)
      return { found: entries, next }
    }
    return inPages(range, read, turn)
  }

  #page(part: Part): Promise<Page> {
    return this.#gate.read(async () => {
      const overlay = this.#overlayIn(part)
      if (overlay) return pageOver(this.#database, overlay, part)
      const entries = await readRange(this.#database, part)
      return { entries, next: entries.length === part.limit ? entries.at(-1)?.[0] : undefined }
    })
  }

  #keys(part: Part): Promise<Found<string>> {
    return this.#gate.read(async () => {
      const overlay = this.#overlayIn(part)
      if (overlay) {
        const { entries, next } = await pageOver(this.#database, overlay, part)
        return { found: entries.map(([key]) => key), next }
      }
      const found = await this.#database.keys(part).all()
      return { found, next: found.length === part.limit ? found.at(-1) : undefined }
    })
  }

  #overlayIn(range: KeyRange): Overlay | undefined {
    const overlay = this.#stage?.overlay
    return overlay?.hasAnyIn(range) ? overlay : undefined
  }
}

interface Found<T> {
  found: T[]
  /** The key after which the range continues; `undefined` at its end. */
  next: string | undefined
}

async function* inPages<T>(
  { gt, lt }: KeyRange,
  read: (part: Part) => Promise<Found<T>>,
  turn: Turn,
): AsyncIterable<T[]> {
  for (let after: string | undefined = gt; after !== undefined; ) {
    const { found, next }: Found<T> = await read({ gt: after, lt, limit: entriesAtOnce })
    // The consumer processes a page without yielding.
    if (next !== undefined) await turn()
    if (found.length > 0) yield found
    after = next
  }
}
