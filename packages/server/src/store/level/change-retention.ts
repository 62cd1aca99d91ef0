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
  /** What is known of the time from then on. `undefined`: nothing new. */
  lapsed: Lapsed | undefined
}

/**
 * How far back the log of changed profiles reaches, and which cursors are accepted. A clock that is wrong for less than a day
 * removes nothing for good: what lapses is decided by the confirmed time. A time is confirmed when, a day later by the clock,
 * the clock has not been put back behind it.
 */
export class ChangeRetention {
  readonly #database: LevelDatabase
  readonly #disk: PagedReads
  readonly #clock: Clock
  #markedDay = 0
  #lapsed: Lapsed | undefined

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
    const lapsed = await this.#observe(nowMs)
    if (lapsed) operations.push({ type: 'put', key: keys.lapsed, value: encodeLapsed(lapsed) })
    if (isNewDay) {
      const stored = await this.#disk.get(keys.day(day))
      const forgotten = Math.max(await this.oldestCursor(), await this.forgottenUpTo())
      operations.push({ type: 'put', key: keys.day(day), value: stored ?? encodeNumber(position) })
      operations.push({ type: 'put', key: keys.forgotten, value: encodeNumber(forgotten) })
      for await (const key of this.#pastDays(nowMs)) operations.push({ type: 'del', key })
    }
    return { operations, day, isNewDay, lapsed }
  }

  /**
   * Ended relations may be removed up to `upTo`, once this is on disk. Earlier cursors are no longer accepted, even if the
   * clock is set back. Only positions that already counted as old a day before are included.
   */
  async #observe(nowMs: number): Promise<Lapsed | undefined> {
    const known = await this.lapsed()
    const passedMs = nowMs - known.observedMs
    if (passedMs >= 0 && passedMs < dayMs) return undefined
    const next = await this.oldestCursor()
    // The clock was put back, so the time that was observed before may have been wrong.
    if (passedMs < 0) return { ...known, next, observedMs: nowMs }
    const upTo = Math.max(known.upTo, Math.min(known.next, next))
    return { upTo, next, observedMs: nowMs, confirmedMs: known.observedMs }
  }

  /** What may be removed for good. */
  async lapsed(): Promise<Lapsed> {
    this.#lapsed ??= decodeLapsed(await this.#disk.get(keys.lapsed))
    return this.#lapsed
  }

  /** The last confirmed time; 0 before the first change since the start. */
  get confirmedMs(): number {
    return this.#lapsed?.confirmedMs ?? 0
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

  /** Whether there was a change since the start. */
  get isMarked(): boolean {
    return this.#markedDay > 0
  }

  /** The batch with these marks is on disk. */
  noteMarked({ day, lapsed }: Marks): void {
    this.#markedDay = day
    this.#lapsed = lapsed ?? this.#lapsed
  }

  /** Once a day, after the day was recorded. Even if the clock is set back, cursors from before it are accepted. */
  async forgetOldChanges(): Promise<void> {
    await this.#database.clear(ranges.changesUpTo(await this.forgottenUpTo()))
  }

  async forgottenUpTo(): Promise<number> {
    const bytes = await this.#disk.get(keys.forgotten)
    return bytes ? decodeNumber(bytes) : 0
  }

  /**
   * The position at which the last day began that ended 90 days ago. A day that a wrong clock recorded has a position after that
   * of a later day, and does not count.
   */
  async oldestCursor(): Promise<number> {
    const nowMs = this.#clock.now()
    let oldest = 0
    for await (const [key, bytes] of this.#disk.entries(ranges.days)) {
      if (dayOf(key) > nowMs) break
      const position = decodeNumber(bytes)
      oldest = isWithinCursors(key, nowMs) ? Math.min(oldest, position) : position
    }
    return Math.max(oldest, (await this.lapsed()).upTo)
  }
}

/** Whether cursors from after the beginning of this day are accepted. */
export function isWithinCursors(day: string, nowMs: number): boolean {
  return dayOf(day) > nowMs - cursorDays * dayMs
}

function dayOf(key: string): number {
  return parseOrdered(partsOf(key)[1] as string)
}
