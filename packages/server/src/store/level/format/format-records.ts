import { keys, ranges } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import type { Operation } from '../operations.ts'
import { decodeNumber, decodeText, encodeNumber, encodeText } from '../record-codec.ts'
import { type Format, generationsFormat, outboxFormat } from './formats.ts'

/** What a data folder records about its layout. */
export interface FolderFormat {
  /** A folder without a number was written by 0.1.0, or by a version soon after it. */
  number: number
  /** The lowest format whose versions may open the folder. `undefined` for a text that no version has written. */
  minReader: number | undefined
  /** The stored text, for people. */
  text: string
}

/** Returns `undefined` for an empty database. */
export async function readFormat(database: LevelDatabase): Promise<FolderFormat | undefined> {
  const [minReader, format] = await database.getMany([keys.minReader, keys.format])
  if (!minReader) return undefined
  const text = decodeText(minReader)
  const match = /^kith-([1-9]\d{0,5})$/.exec(text)
  return { number: format ? decodeNumber(format) : 1, minReader: match ? Number(match[1]) : undefined, text }
}

/** Whether the outbox contains any event. */
export async function hasEvents(database: LevelDatabase): Promise<boolean> {
  return (await database.keys({ ...ranges.outbox, limit: 1 }).all()).length > 0
}

/** From now on, versions before this format refuse the folder: 0.1.0 compares this text. */
export function minReaderRecord(minReader: number): Operation {
  return { type: 'put', key: keys.minReader, value: encodeText(`kith-${minReader}`) }
}

/** The lowest `minReader` that a folder may have, given its content. No format may set it lower. */
export async function leastReader(database: LevelDatabase, folder: FolderFormat | undefined): Promise<number> {
  // Only this shows that a document of a later generation is stored. It is kept, even if another format had set it.
  if ((folder?.minReader ?? 1) >= generationsFormat) return generationsFormat
  return (await hasEvents(database)) ? outboxFormat : 1
}

/** `least`: see {@link leastReader}. */
export function formatRecords({ number, minReader }: Format, least = 1): Operation[] {
  return [minReaderRecord(Math.max(minReader, least)), { type: 'put', key: keys.format, value: encodeNumber(number) }]
}
