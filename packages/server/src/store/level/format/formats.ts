import type { KeyRange } from '../keys.ts'
import type { Operation } from '../operations.ts'

/** How the records of the previous format become those of this one. */
export interface Migration {
  /** The records that are examined. */
  range: KeyRange
  /**
   * Returns what is written instead of a record, or nothing for a record that stays. What it puts must sort before the record,
   * be under the record's own key, or be outside of the range. Otherwise it would be examined again.
   */
  rewrite(key: string, value: Uint8Array): readonly Operation[]
}

/** A layout of the data folder. A released format is never changed; another one is added. */
export interface Format {
  number: number
  /** The lowest format whose versions may read and write such a folder without losing data. */
  minReader: number
  /** Absent if no record changes. */
  migration?: Migration
}

/** While a large change is staged, versions before this format must not open the folder, because they would not finish it. */
export const stagingFormat = 2

/**
 * While a server writes events, or some wait, versions before this format must not open the folder, because they would not
 * erase them.
 */
export const outboxFormat = 3

/**
 * Once a document of a later generation is stored, versions before this format must not open the folder. They would merge
 * changes from an ended generation, and so restore what was removed.
 */
export const generationsFormat = 5

/** All formats that have existed. The present one is last. */
export const formats: readonly [Format, ...Format[]] = [
  { number: 1, minReader: 1 }, // 0.1.0. It does not know format numbers, and reads `kith-1`.
  { number: stagingFormat, minReader: 1 }, // Large changes are staged, see `stage/stage.ts`.
  { number: outboxFormat, minReader: 1 }, // Events for the app's backend, see `relations/outbox.ts`.
  { number: 4, minReader: 1 }, // Relations and look-ups lapse, see `lapsing.ts`; look-ups have a day.
  { number: generationsFormat, minReader: 1 }, // Documents are refounded, see `documents/founding.ts`.
]

/** What this version writes. */
export const presentFormat: Format = formats.at(-1) as Format
