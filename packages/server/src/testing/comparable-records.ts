import { parseOrdered, partsOf } from '../store/level/keys.ts'
import { openLevelDatabase } from '../store/level/open.ts'
import { decodeAsked, decodeLevel, decodeRelation, decodeUser } from '../store/level/record-codec.ts'

const separator = '\u0000'

/** A record, with the positions in it. Two records say the same if their texts do once positions are replaced by ranks. */
interface Decoded {
  key: readonly string[]
  value: unknown
}

/**
 * All records of a small data folder that no server uses, in a form in which folders can be compared that were made by the same
 * changes in the same order: each position is replaced by its rank among all positions that occur in records, and of a time
 * remains only whether there is one. Left out is what each folder has for itself: its settings, and the beginning of each day.
 *
 * @param folder - The path of the folder.
 * @returns Resolves to the records by key.
 * @throws DataFolderError When the folder is damaged, in use, or of another version.
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
  // 0 stands for what never happened.
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

/** The order of members says nothing. */
function ordered(members: object): object {
  return Object.fromEntries(Object.entries(members).sort())
}

function positionIn(key: string): number {
  return parseOrdered(partsOf(key).at(-1) as string)
}
