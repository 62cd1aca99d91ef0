import { TooLarge } from '../../../relations/draft.ts'
import { minReaderRecord } from '../format/format-records.ts'
import { stagingFormat } from '../format/formats.ts'
import { keys } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import type { Operation } from '../operations.ts'
import { decodeMarker, encodeMarker } from './marker.ts'
import { Overlay } from './overlay.ts'
import type { Slice } from './slice.ts'

/** So many keys of a staged change may be written by others before it is applied: the marker names each of them. */
const mostSkipped = 1_000

export interface StagePort {
  /** Of the folder while nothing is staged. */
  readonly minReader: { readonly value: number }
  readonly database: LevelDatabase
  /** Runs `work` between two batches of the queue of commits, when the database can be written; rejects when it can't. */
  inQueue(work: () => Promise<void>): Promise<void>
  /** Writes a batch that changes nothing of what reads see. Rejects when it is not written, or when that is not known. */
  write(operations: readonly Operation[]): Promise<void>
  /** After a write that failed: resolves when another may be tried, with `false` when the store closes instead. */
  writable(): Promise<boolean>
}

/**
 * One large change on its way to the disk [S3]. A batch of 100,000 records takes LevelDB half a second, and all other commits
 * would wait for it. So its operations are written in slices first, which nothing reads; then the commit writes a marker that
 * makes them count, which is a batch as small as any other; then they are applied, slice by slice, between the commits of
 * others. Whatever is read meanwhile is read through the overlay. A process that is killed in between finishes at its next
 * start (`finish.ts`), so the change is on the disk as a whole or not at all [D4].
 */
export class Stage {
  readonly #port: StagePort
  #overlay: Overlay | undefined
  #applied: ReadonlySet<number> = new Set()
  #skipped: ReadonlySet<string> = new Set()
  /** As far as the disk is known. */
  #hasMarker = false

  constructor(port: StagePort) {
    this.#port = port
  }

  /** What reads lay over what the database holds, from before the commit until all of it is applied. */
  get overlay(): Overlay | undefined {
    return this.#overlay
  }

  /** The staged change is a commit, and not all of it is applied. */
  get isCommitted(): boolean {
    return this.#hasMarker
  }

  /** Writes slices, which do not count yet. Rejects when the disk does. */
  async put(slices: readonly Slice[]): Promise<void> {
    for (const [index, { bytes }] of slices.entries()) {
      await this.#port.inQueue(() => this.#port.write([{ type: 'put', key: keys.slice(index), value: bytes }]))
    }
  }

  /**
   * What the commit of the change writes so that its slices count. `written`: the records that the commit writes itself. From
   * now on reads look at the slices; whether they count, the marker tells in each snapshot. A version of Kith that does not
   * look for the marker may not open the folder until all of it is applied.
   */
  begin(slices: readonly Slice[], written: readonly Operation[]): Operation[] {
    this.#overlay = new Overlay(slices)
    this.#applied = new Set()
    this.#skipped = new Set(this.#stagedAmong(written))
    return [this.#marker(), minReaderRecord(Math.max(this.#port.minReader.value, stagingFormat))]
  }

  /** The commit of the change is on the disk. To be called before another batch is made. */
  noteCommitted(): void {
    this.#hasMarker = true
  }

  /**
   * What another batch writes besides when it writes records that are staged: the marker names them, so that applying the
   * slices leaves them as they are. Throws {@link TooLarge} when they are too many, unless it `mayBeLarge`.
   */
  alsoWritten(operations: readonly Operation[], mayBeLarge: boolean): Operation[] {
    // Before the commit, and once all is applied, a marker would make a commit of what is staged next.
    const skipped = this.#hasMarker ? this.#stagedAmong(operations) : []
    if (skipped.length === 0) return []
    if (!mayBeLarge && this.#skipped.size + skipped.length > mostSkipped) throw new TooLarge()
    return [this.#marker({ skipped: new Set([...this.#skipped, ...skipped]) })]
  }

  /** A batch with these operations is on the disk. */
  noteWritten(operations: readonly Operation[]): void {
    const skipped = this.#hasMarker ? this.#stagedAmong(operations) : []
    if (skipped.length > 0) this.#skipped = new Set([...this.#skipped, ...skipped])
  }

  /** After the commit. Resolves when all slices are applied; when the store closes, the next start applies the rest. */
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

  /** Nothing was committed: removes the slices. What cannot be removed now is removed when the database is opened again. */
  async discard(count: number): Promise<void> {
    this.#overlay = undefined
    const removals = Array.from({ length: count }, (_, index) => ({ type: 'del' as const, key: keys.slice(index) }))
    await this.#port.inQueue(() => this.#port.write(removals)).catch(() => undefined)
  }

  /** The database was opened again: a batch that seemed lost may be on the disk. To be awaited before the next is written. */
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

  /** The keys of records that are staged and not applied. */
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
