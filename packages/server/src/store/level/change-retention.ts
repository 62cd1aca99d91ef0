import type { Clock } from '../../clock.ts'
import { keys, parseOrdered, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './operations.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeLapsed, decodeNumber, encodeLapsed, encodeNumber, type Lapsed } from './record-codec.ts'

const dayMs = 86_400_000
/** How long a device may stay away and still get only what changed. */
const cursorDays = 90

/** What each batch writes besides what is derived. */
export interface Marks {
  operations: Operation[]
  day: number
  isNewDay: boolean
}

/** How far back the log of changed profiles reaches, and which cursors it serves. */
export class ChangeRetention {
  readonly #database: LevelDatabase
  readonly #disk: PagedReads
  readonly #clock: Clock
  #markedDay = 0

  constructor(database: LevelDatabase, disk: PagedReads, clock: Clock) {
    this.#database = database
    this.#disk = disk
    this.#clock = clock
  }

  /** The position, and once a day where that day began. `position`: before the batch; `last`: after it. */
  async marks(position: number, last: number, nowMs: number): Promise<Marks> {
    const operations: Operation[] = [{ type: 'put', key: keys.position, value: encodeNumber(last) }]
    const day = nowMs - (nowMs % dayMs)
    const isNewDay = day !== this.#markedDay // Also when the clock was put back.
    if (isNewDay) {
      const stored = await this.#disk.get(keys.day(day))
      const lapsed = await this.#lapsing(day)
      operations.push({ type: 'put', key: keys.lapsed, value: encodeLapsed(lapsed) })
      const forgotten = Math.max(await this.oldestCursor(), await this.forgottenUpTo())
      operations.push({ type: 'put', key: keys.day(day), value: stored ?? encodeNumber(position) })
      operations.push({ type: 'put', key: keys.forgotten, value: encodeNumber(forgotten) })
      for await (const key of this.#pastDays(nowMs)) operations.push({ type: 'del', key })
    }
    return { operations, day, isNewDay }
  }

  /**
   * Relations that are over may go up to `upTo`, once this is on the disk: cursors from before are served no more, also if the
   * clock is put back. Only what counted as old on an earlier day too may go: a clock that is far ahead for a while makes no
   * cursor too old.
   */
  async #lapsing(day: number): Promise<Lapsed> {
    const [lapsed, oldest] = [await this.#lapsed(), await this.oldestCursor()]
    if (lapsed.day === day) return lapsed
    return { upTo: Math.max(lapsed.upTo, Math.min(lapsed.next, oldest)), next: oldest, day }
  }

  /** Up to which position relations that are over may go. */
  async lapsedUpTo(): Promise<number> {
    return (await this.#lapsed()).upTo
  }

  async #lapsed(): Promise<Lapsed> {
    return decodeLapsed(await this.#disk.get(keys.lapsed))
  }

  /** Days that are over for longer than cursors are served, but for the last of them: it tells which cursor is the oldest. */
  async *#pastDays(nowMs: number): AsyncIterable<string> {
    let last: string | undefined
    for await (const key of this.#disk.keys(ranges.days)) {
      if (isWithinCursors(key, nowMs)) return
      if (last !== undefined) yield last
      last = key
    }
  }

  /** The batch with these marks is on disk. */
  noteMarked({ day }: Marks): void {
    this.#markedDay = day
  }

  /** Once a day, after it was noted: should the clock go back, cursors from before are served all the same. */
  async forgetOldChanges(): Promise<void> {
    await this.#database.clear(ranges.changesUpTo(await this.forgottenUpTo()))
  }

  async forgottenUpTo(): Promise<number> {
    const bytes = await this.#disk.get(keys.forgotten)
    return bytes ? decodeNumber(bytes) : 0
  }

  async oldestCursor(): Promise<number> {
    let oldest = await this.lapsedUpTo()
    for await (const [key, bytes] of this.#disk.entries(ranges.days)) {
      if (isWithinCursors(key, this.#clock.now())) break
      oldest = Math.max(oldest, decodeNumber(bytes))
    }
    return oldest
  }
}

/** Whether devices that were here after this day began are served. */
export function isWithinCursors(day: string, nowMs: number): boolean {
  return parseOrdered(partsOf(day)[1] as string) > nowMs - cursorDays * dayMs
}
