import { type Turn, turnForSlice } from '../../turns.ts'
import type { KeyRange } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import type { ReadGate } from './read-gate.ts'
import { getManyOver, type Page, pageOver } from './stage/overlaid-reads.ts'
import type { Overlay } from './stage/overlay.ts'

type Part = KeyRange & { limit: number }

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
  #stage: { readonly overlay: Overlay | undefined } | undefined

  constructor(database: LevelDatabase, gate: ReadGate) {
    this.#database = database
    this.#gate = gate
  }

  /** From now on all is read with what is staged laid over it. */
  layOver(stage: { readonly overlay: Overlay | undefined }): void {
    this.#stage = stage
  }

  /** As of one moment: a Level reads many keys from one snapshot. */
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

  /** All entries of a range as of one moment. For small ranges only. */
  async all(range: KeyRange): Promise<[string, Uint8Array][]> {
    return (await this.#page({ ...range, limit: Number.POSITIVE_INFINITY })).entries
  }

  async *entries(range: KeyRange): AsyncIterable<[string, Uint8Array]> {
    for await (const page of this.pages(range)) yield* page
  }

  async *keys(range: KeyRange, turn: Turn = turnForSlice): AsyncIterable<string> {
    for await (const page of inPages(range, part => this.#keys(part), turn)) yield* page
  }

  /** The first keys of a range, of one moment. */
  async firstKeys(range: KeyRange, most: number): Promise<string[]> {
    return (await this.#keys({ ...range, limit: most })).found
  }

  /** `turn`: between two pages. */
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
      const entries = await this.#database.iterator(part).all()
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
  /** The key after which the range goes on; `undefined` at its end. */
  next: string | undefined
}

async function* inPages<T>(
  { gt, lt }: KeyRange,
  read: (part: Part) => Promise<Found<T>>,
  turn: Turn,
): AsyncIterable<T[]> {
  for (let after: string | undefined = gt; after !== undefined; ) {
    const { found, next }: Found<T> = await read({ gt: after, lt, limit: entriesAtOnce })
    // Its reader goes through the page without a pause.
    if (next !== undefined) await turn()
    if (found.length > 0) yield found
    after = next
  }
}
