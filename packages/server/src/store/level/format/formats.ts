import type { KeyRange } from '../keys.ts'
import type { Operation } from '../operations.ts'

/** How the records of the format before become those of this one. */
export interface Migration {
  /** The records that are looked at. */
  range: KeyRange
  /**
   * What is written in place of a record: nothing for one that stays. What it puts sorts before the record, under its own key,
   * or outside of the range: else it would come again.
   */
  rewrite(key: string, value: Uint8Array): readonly Operation[]
}

/** A layout of the data folder. One that was released is never changed: another is added. */
export interface Format {
  number: number
  /** The lowest format whose versions may read and write such a folder without losing anything. */
  minReader: number
  /** Absent where no record changes. */
  migration?: Migration
}

/** While a large change is staged, versions before this format must not open the folder: they would not finish it. */
export const stagingFormat = 2

/** While a server writes events, or some wait, versions before this format must not open the folder: they would not erase them. */
export const outboxFormat = 3

/**
 * Once a document of a later generation is stored, versions before this format must not open the folder: they would merge what
 * an ended generation brings, and bring back what was removed.
 */
export const generationsFormat = 5

/** All that there were, the present one last. */
export const formats: readonly [Format, ...Format[]] = [
  { number: 1, minReader: 1 }, // 0.1.0. It knows no format number, and reads `kith-1`.
  { number: stagingFormat, minReader: 1 }, // Large changes are staged, see `stage/stage.ts`.
  { number: outboxFormat, minReader: 1 }, // Events for the app's backend, see `relations/outbox.ts`.
  { number: 4, minReader: 1 }, // Relations and look-ups lapse, see `lapsing.ts`; look-ups have a day.
  { number: generationsFormat, minReader: 1 }, // Documents are refounded, see `documents/founding.ts`.
]

/** What this version writes. */
export const presentFormat: Format = formats.at(-1) as Format
