import { TooLarge } from '../../../relations/draft.ts'
import { minReaderRecord } from '../format/format-records.ts'
import { stagingFormat } from '../format/formats.ts'
import { keys } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import type { Operation } from '../operations.ts'
import { decodeMarker, encodeMarker } from './marker.ts'
import { Overlay } from './overlay.ts'
import type { Slice } from './slice.ts'

/** The number of keys of a staged change that others may write before it is applied. The marker names each of them. */
const mostSkipped = 1_000

export interface StagePort {
  /** The folder's `minReader` while nothing is staged. */
  readonly minReader: { readonly value: number }
  readonly database: LevelDatabase
  /** Runs `work` between two batches of the queue of commits, when the database can be written. Rejects if it cannot. */
  inQueue(work: () => Promise<void>): Promise<void>
  /** Writes a batch that does not change what reads return. Rejects if it is not written, or if that is not known. */
  write(operations: readonly Operation[]): Promise<void>
  /** After a failed write: resolves when another may be tried, or to `false` if the store closes instead. */
  writable(): Promise<boolean>
}

/**
 * One large change on its way to the disk [S3]. A batch of 100,000 records takes LevelDB half a second, and all other commits
 * would wait for it. So its operations are first written in slices, which nothing reads. Then the commit writes a marker that
 * makes the slices count; this batch is as small as any other. Then the slices are applied one by one, between the commits of
 * other users. Meanwhile, all reads go through the overlay. If the process is killed in between, the next start finishes the
 * change (`finish.ts`), so the change is on disk completely or not at all [D4].
 */
export class Stage {
  readonly #port: StagePort
  #overlay: Overlay | undefined
  #applied: ReadonlySet<number> = new Set()
  #skipped: ReadonlySet<string> = new Set()
  /** According to what is known about the disk. */
  #hasMarker = false

  constructor(port: StagePort) {
    this.#port = port
  }

  /** The overlay for reads, from before the commit until all slices are applied. */
  get overlay(): Overlay | undefined {
    return this.#overlay
  }

  /** The staged change is a commit, and not all of its slices are applied. */
  get isCommitted(): boolean {
    return this.#hasMarker
  }

  /** Writes slices, which do not count yet. Rejects with the error of the disk. */
  async put(slices: readonly Slice[]): Promise<void> {
    for (const [index, { bytes }] of slices.entries()) {
      await this.#port.inQueue(() => this.#port.write([{ type: 'put', key: keys.slice(index), value: bytes }]))
    }
  }

  /**
   * Returns what the commit of the change writes to make its slices count. `written`: the records that the commit writes
   * itself. From now on, reads use the slices; in each snapshot, the marker decides whether they count. A version of Kith that
   * does not look for the marker may not open the folder until all slices are applied.
   */
  begin(slices: readonly Slice[], written: readonly Operation[]): Operation[] {
    this.#overlay = new Overlay(slices)
    this.#applied = new Set()
    this.#skipped = new Set(this.#stagedAmong(written))
    return [this.#marker(), minReaderRecord(Math.max(this.#port.minReader.value, stagingFormat))]
  }

  /** The commit of the change is on disk. Call this before another batch is made. */
  noteCommitted(): void {
    this.#hasMarker = true
  }

  /**
   * Returns what another batch must write in addition if it writes staged records: the marker names them, so that applying the
   * slices does not overwrite them. Throws {@link TooLarge} if they are too many, unless `mayBeLarge`.
   */
  alsoWritten(operations: readonly Operation[], mayBeLarge: boolean): Operation[] {
    // Before the commit, and once everything is applied, a marker would turn what is staged next into a commit.
    const skipped = this.#hasMarker ? this.#stagedAmong(operations) : []
    if (skipped.length === 0) return []
    if (!mayBeLarge && this.#skipped.size + skipped.length > mostSkipped) throw new TooLarge()
    return [this.#marker({ skipped: new Set([...this.#skipped, ...skipped]) })]
  }

  /** A batch with these operations is on disk. */
  noteWritten(operations: readonly Operation[]): void {
    const skipped = this.#hasMarker ? this.#stagedAmong(operations) : []
    if (skipped.length > 0) this.#skipped = new Set([...this.#skipped, ...skipped])
  }

  /** Called after the commit. Resolves when all slices are applied. If the store closes, the next start applies the rest. */
  async apply(): Promise<void> {
    for (const [index, slice] of this.#overlay?.slices.entries() ?? []) {
      while (this.#hasMarker && !this.#applied.has(index)) {
        try {
          await this.#port.inQueue(() => this.#applyOne(index, slice))
        } catch {
          if (!(await this.#port.writable())) return
        }
      }
    }
    this.#overlay = undefined
  }

  /**
   * Nothing was committed: removes the slices. Slices that cannot be removed now are removed when the database is opened again.
   */
  async discard(count: number): Promise<void> {
    this.#overlay = undefined
    const removals = Array.from({ length: count }, (_, index) => ({ type: 'del' as const, key: keys.slice(index) }))
    await this.#port.inQueue(() => this.#port.write(removals)).catch(() => undefined)
  }

  /** The database was opened again, so a batch that seemed lost may be on disk. Await this before the next batch is written. */
  async learn(): Promise<void> {
    if (!this.#overlay) return
    const bytes = await this.#port.database.get(keys.staged)
    this.#hasMarker = bytes !== undefined
    if (bytes) {
      const { applied, skipped } = decodeMarker(bytes)
      this.#applied = applied
      this.#skipped = skipped
    }
  }

  async #applyOne(index: number, slice: Slice): Promise<void> {
    // It may have been applied by a batch that seemed to fail.
    if (!this.#hasMarker || this.#applied.has(index)) return
    const applied = new Set([...this.#applied, index])
    const isLast = applied.size === this.#overlay?.slices.length
    const skipped = new Set([...this.#skipped].filter(key => this.#overlay?.find(key)?.slice !== index))
    await this.#port.write([
      ...slice.operationsWithout(this.#skipped),
      { type: 'del', key: keys.slice(index) },
      ...(isLast ? this.#end() : [this.#marker({ applied, skipped })]),
    ])
    this.#applied = applied
    this.#skipped = skipped
    this.#hasMarker = !isLast
  }

  #end(): Operation[] {
    return [{ type: 'del', key: keys.staged }, minReaderRecord(this.#port.minReader.value)]
  }

  #marker({ applied = this.#applied, skipped = this.#skipped } = {}): Operation {
    const slices = this.#overlay?.slices.length ?? 0
    return { type: 'put', key: keys.staged, value: encodeMarker({ slices, applied, skipped }) }
  }

  /** Returns the keys of records that are staged and not applied. */
  #stagedAmong(operations: readonly Operation[]): string[] {
    const { overlay } = this
    if (!overlay) return []
    const isStaged = (key: string): boolean => {
      const found = overlay.find(key)
      return found !== undefined && !this.#applied.has(found.slice)
    }
    return operations.map(({ key }) => key).filter(isStaged)
  }
}
