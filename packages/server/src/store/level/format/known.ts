import { knownFields } from '../../../relations/known-fields.ts'
import { UnknownRecord } from '../../../relations/unknown-record.ts'
import { DataFolderError } from '../folder-error.ts'
import { betweenFamilies, isMetaKey, type KeyRange, keys, partsOf, ranges } from '../keys.ts'
import type { LevelDatabase } from '../level-database.ts'
import {
  decodeAsked,
  decodeEvent,
  decodeLapsed,
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeUser,
} from '../record-codec.ts'

/**
 * Refuses families of records that this version does not know, with one read between each two families that it knows. A folder
 * that a later version wrote, and that this version may nevertheless open, is not checked: its new records may be left alone.
 */
export async function expectKnownFamilies(database: LevelDatabase, folder: string): Promise<void> {
  for (const range of betweenFamilies) {
    const [key] = await database.keys({ ...range, limit: 1 }).all()
    if (key !== undefined) throw unknown(folder, `records of the family ${JSON.stringify(partsOf(key)[0])}`)
  }
  for await (const key of database.keys(ranges.meta)) {
    if (!isMetaKey(key)) throw unknown(folder, `the setting ${JSON.stringify(partsOf(key)[1])}`)
  }
}

function unknown(folder: string, what: string): DataFolderError {
  return new DataFolderError(
    `${folder} holds ${what}, which this version of Kith does not know, so nothing was changed: ` +
      'run the version that wrote it, or a later one, or give another folder with --data',
  )
}

/** Decoders that throw {@link UnknownRecord} for a record that contains more than this version knows. */
const decoders: readonly [KeyRange, (bytes: Uint8Array) => unknown][] = [
  [ranges.users, decodeUser],
  [ranges.allRelations, decodeRelation],
  [ranges.allLevels, bytes => knownFields(decodeLevel(bytes).fields)],
  [ranges.allAsked, decodeAsked],
  [ranges.allEvents, decodeEvent],
  [ranges.tokens, decodeNumber],
  [ranges.erased, decodeNumber],
  [ranges.days, decodeNumber],
]

/**
 * Refuses a folder if the first or last record of a family contains more than this version knows. All other records are decoded
 * as strictly before they are written again, so no record is ever written without its unknown part.
 */
export async function expectKnownRecords(database: LevelDatabase, folder: string): Promise<void> {
  const lapsed = await database.get(keys.lapsed)
  expectDecodes(folder, () => decodeLapsed(lapsed))
  for (const [range, decode] of decoders) {
    for (const reverse of [false, true]) {
      const [entry] = await database.iterator({ ...range, reverse, limit: 1 }).all()
      if (entry) expectDecodes(folder, () => decode(entry[1]))
    }
  }
}

/** Refuses only unknown content. Other errors are found by `check`, which says what to do about them. */
function expectDecodes(folder: string, decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof UnknownRecord)) return
    throw new DataFolderError(`${folder} holds ${error.message}, or give another folder with --data`, { cause: error })
  }
}
