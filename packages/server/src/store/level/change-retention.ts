import type { Clock } from '../../clock.ts'
import { keys, parseOrdered, partsOf, ranges } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import type { Operation } from './operations.ts'
import type { PagedReads } from './paged-reads.ts'
import { decodeLapsed, decodeNumber, encodeLapsed, encodeNumber, type Lapsed } from './record-codec.ts'

const dayMs = 86_400_000
/** How long a device may stay away and still get only the changes. */
const cursorDays = 90

/** What each batch writes in addition to what is derived. */
export interface Marks {
  operations: Operation[]
  day: number
  isNewDay: boolean
}

/** How far back the log of changed profiles reaches, and which cursors are accepted. */
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

  /** The position and, once a day, the position at which that day began. `position`: before the batch; `last`: after it. */
  async marks(position: number, last: number, nowMs: number): Promise<Marks> {
    const operations: Operation[] = [{ type: 'put', key: keys.position, value: encodeNumber(last) }]
    const day = nowMs - (nowMs % dayMs)
    const isNewDay = day !== this.#markedDay // Also if the clock was set back.
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
   * Ended relations may be removed up to `upTo`, once this is on disk. Earlier cursors are no longer accepted, even if the
   * clock is set back. Only positions that already counted as old on an earlier day are included, so a clock that is far ahead
   * for a while makes no cursor too old.
   */
  async #lapsing(day: number): Promise<Lapsed> {
    const [lapsed, oldest] = [await this.#lapsed(), await this.oldestCursor()]
    if (lapsed.day === day) return lapsed
    return { upTo: Math.max(lapsed.upTo, Math.min(lapsed.next, oldest)), next: oldest, day }
  }

  /** The position up to which ended relations may be removed. */
  async lapsedUpTo(): Promise<number> {
    return (await this.#lapsed()).upTo
  }

  async #lapsed(): Promise<Lapsed> {
    return decodeLapsed(await this.#disk.get(keys.lapsed))
  }

  /** Days that ended longer ago than cursors are accepted, except the last of them, which determines the oldest cursor. */
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

  /** Once a day, after the day was recorded. Even if the clock is set back, cursors from before it are accepted. */
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

/** Whether cursors from after the beginning of this day are accepted. */
export function isWithinCursors(day: string, nowMs: number): boolean {
  return parseOrdered(partsOf(day)[1] as string) > nowMs - cursorDays * dayMs
}
