import { parseOrdered, partsOf } from '../store/level/keys.ts'
import { openLevelDatabase } from '../store/level/open.ts'
import { decodeAsked, decodeLevel, decodeRelation, decodeUser } from '../store/level/record-codec.ts'

const separator = '\u0000'

/**
 * A record and its positions. Two records are equivalent if their texts are equal after positions have been replaced by ranks.
 */
interface Decoded {
  key: readonly string[]
  value: unknown
}

/**
 * Returns all records of a small data folder that no server uses, for the comparison of folders that were made by the same
 * changes in the same order. Each position is replaced by its rank among all positions in records. Of a time, only its presence
 * remains. Settings and the beginnings of days are left out, because they differ for each folder.
 *
 * @param folder - The path of the folder.
 * @returns Resolves to the records by key.
 * @throws DataFolderError If the folder is damaged, in use, or of another version.
 */
export async function comparableRecords(folder: string): Promise<Map<string, string>> {
  const database = await openLevelDatabase(folder, true)
  const positions = new Set<number>()
  const note = (position: number): { position: number } => {
    positions.add(position)
    return { position }
  }
  const records: Decoded[] = []
  for await (const [key, bytes] of database.iterator()) {
    const [family] = partsOf(key)
    if (family !== 'meta' && family !== 'day') records.push(decoded(key, bytes, note))
  }
  await database.close()
  // 0 means that it never happened.
  const ranks = new Map(
    [0, ...[...positions].filter(one => one > 0).sort((a, b) => a - b)].map((one, rank) => [one, rank]),
  )
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, one) => (isPosition(one) ? `#${ranks.get(one.position)}` : one))
  return new Map(
    records.map(({ key, value }) => [
      key.map(part => part.replace(/^@(\d+)$/, (_, position) => `#${ranks.get(Number(position))}`)).join(' '),
      text(value),
    ]),
  )
}

type Note = (position: number) => { position: number }

function isPosition(value: unknown): value is { position: number } {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'position'
}

function decoded(key: string, bytes: Uint8Array, note: Note): Decoded {
  const parts = key.split(separator)
  const [family, , , kind] = parts
  switch (family) {
    case 'user': {
      const { registeredAt, levels, lastSeenMinute, lookups, ...rest } = decodeUser(bytes)
      const positionsOfLevels = Object.entries(levels).map(([level, position]) => [level, note(position)])
      const times = { wasSeen: lastSeenMinute !== undefined, lookupsLeft: lookups?.left }
      return {
        key: parts,
        value: { registeredAt: note(registeredAt), levels: positionsOfLevels, ...times, ...ordered(rest) },
      }
    }
    case 'relation': {
      const { changedAt, joinedAt, joinedAtMs, ...rest } = decodeRelation(bytes)
      const times = { changedAt: note(changedAt), joinedAt: note(joinedAt), wasAnnounced: joinedAtMs > 0 }
      return { key: parts, value: { ...rest, ...times } }
    }
    case 'level': {
      const { position, fields } = decodeLevel(bytes)
      return { key: parts, value: { at: note(position), fields: Buffer.from(fields).toString('base64') } }
    }
    case 'asked':
      return { key: parts, value: { hasDay: decodeAsked(bytes) > 0 } }
    case 'change':
      return { key: ['change', `@${note(positionIn(key)).position}`], value: Buffer.from(bytes).toString('base64') }
    default: {
      const text = Buffer.from(bytes).toString('base64')
      if (kind !== 'u') return { key: parts, value: text }
      return { key: [...parts.slice(0, -1), `@${note(positionIn(key)).position}`], value: text }
    }
  }
}

/** The order of members has no meaning. */
function ordered(members: object): object {
  return Object.fromEntries(Object.entries(members).sort())
}

function positionIn(key: string): number {
  return parseOrdered(partsOf(key).at(-1) as string)
}
