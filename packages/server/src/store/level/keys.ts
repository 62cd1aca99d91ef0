import type { EventName } from '../../relations/outbox.ts'
import type { DocumentName } from '../../relations/records.ts'

/**
 * The key layout: the only file that makes or parses keys. Parts are joined by NUL, which no user id contains, so that
 * everything about one user is one range.
 *
 *   meta | format                           `minReader`, as in `kith-1`: 0.1.0 refuses any other text
 *   meta | format-number                    which of the formats it has (format/formats.ts)
 *   meta | migrating                        how far a migration is (format/migrate.ts)
 *   meta | lapsed                           the position up to which ended relations were removed (change-retention.ts)
 *   meta | runs, position, forgotten, identity (see incarnations.ts), cursor-key (32 secret bytes)
 *   user | <id>                             UserRecord, with the last-seen time, which is not derived
 *   tokens | <id>                           when the user's tokens were revoked, ms; outlives the account
 *   erased | <id>                           how often the account was erased; outlives the account
 *   document | <id> | roster, profile | s   snapshot, a Yjs update in `updateV2`
 *   document | <id> | roster, profile | u | <position>   an update since, in `updateV2`
 *   level | <owner> | <level>               what viewers of a level get: position, then fields
 *   relation | <a> | <b>                    Relation of a and b, seen from a
 *   asked | <viewer> | <id>                 the day on which the viewer looked that id up [S4]
 *   outbox | event | <position> | <index>   an event for the app's backend (relations/outbox.ts)
 *   outbox | line | <user> | <position> | <index>    the event is in that user's line, and waits to be delivered
 *   outbox | dead | <position> | <index>    the event is a dead letter
 *   outbox | about | <user> | <position> | <index>   the event concerns that user: its line, and the other user
 *   change | <position>                     the user whose documents or standing changed then
 *   day | <ms, at midnight UTC>             the position at which that day began
 *   meta | staged                           the marker of a staged change (stage/marker.ts)
 *   staged | <index>                        a slice of a staged change (stage/slice.ts)
 */
const separator = '\u0000'

const join = (...parts: string[]): string => parts.join(separator)

/** Fixed width, so that keys sort in the order of positions. */
const ordered = (value: number): string => value.toString(16).padStart(14, '0')

const eventParts = ({ position, index }: EventName): [string, string] => [ordered(position), ordered(index)]

export const keys = {
  minReader: join('meta', 'format') as string,
  format: join('meta', 'format-number') as string,
  migrating: join('meta', 'migrating') as string,
  runs: join('meta', 'runs') as string,
  position: join('meta', 'position') as string,
  forgotten: join('meta', 'forgotten') as string,
  lapsed: join('meta', 'lapsed') as string,
  identity: join('meta', 'identity') as string,
  erased: (id: string): string => join('erased', id),
  cursorKey: join('meta', 'cursor-key') as string,
  staged: join('meta', 'staged') as string,
  user: (id: string): string => join('user', id),
  tokens: (id: string): string => join('tokens', id),
  snapshot: (id: string, document: DocumentName): string => join('document', id, document, 's'),
  update: (id: string, document: DocumentName, position: number): string =>
    join('document', id, document, 'u', ordered(position)),
  level: (owner: string, level: number): string => join('level', owner, ordered(level)),
  relation: (a: string, b: string): string => join('relation', a, b),
  asked: (viewer: string, id: string): string => join('asked', viewer, id),
  change: (position: number): string => join('change', ordered(position)),
  day: (startMs: number): string => join('day', ordered(startMs)),
  slice: (index: number): string => join('staged', ordered(index)),
  event: (name: EventName): string => join('outbox', 'event', ...eventParts(name)),
  eventLine: (user: string, name: EventName): string => join('outbox', 'line', user, ...eventParts(name)),
  eventDead: (name: EventName): string => join('outbox', 'dead', ...eventParts(name)),
  eventAbout: (user: string, name: EventName): string => join('outbox', 'about', user, ...eventParts(name)),
} as const

export interface KeyRange {
  gt: string
  lt: string
}

const below = (...parts: string[]): KeyRange => ({ gt: join(...parts, ''), lt: `${join(...parts)}\u0001` })

/** Ranges of keys, in the form that abstract-level takes. */
export const ranges = {
  users: below('user') as KeyRange,
  tokens: below('tokens') as KeyRange,
  erased: below('erased') as KeyRange,
  documents: below('document') as KeyRange,
  document: (id: string, document: DocumentName): KeyRange => below('document', id, document),
  levels: (owner: string): KeyRange => below('level', owner),
  allLevels: below('level') as KeyRange,
  relations: (user: string): KeyRange => below('relation', user),
  allRelations: below('relation') as KeyRange,
  asked: (viewer: string): KeyRange => below('asked', viewer),
  allAsked: below('asked') as KeyRange,
  meta: below('meta') as KeyRange,
  changes: (after: number): KeyRange => ({ gt: keys.change(after), lt: below('change').lt }),
  changesUpTo: (position: number): KeyRange => ({ gt: below('change').gt, lt: keys.change(position + 1) }),
  days: below('day') as KeyRange,
  slices: below('staged') as KeyRange,
  outbox: below('outbox') as KeyRange,
  events: (after: EventName): KeyRange => ({ gt: keys.event(after), lt: below('outbox', 'event').lt }),
  allEvents: below('outbox', 'event') as KeyRange,
  eventLine: (user: string, after: EventName): KeyRange => ({
    gt: keys.eventLine(user, after),
    lt: below('outbox', 'line', user).lt,
  }),
  eventsDead: (after: EventName): KeyRange => ({ gt: keys.eventDead(after), lt: below('outbox', 'dead').lt }),
  eventsAbout: (user: string): KeyRange => below('outbox', 'about', user),
} as const

/** The parts of a key, its family first. */
export function partsOf(key: string): string[] {
  return key.split(separator)
}

/** The second part of a key: in most families the user that the record belongs to. */
export function ownerOf(key: string): string {
  const from = key.indexOf(separator) + 1
  const to = key.indexOf(separator, from)
  return to < 0 ? key.slice(from) : key.slice(from, to)
}

/** The last part of a key. */
export function lastPartOf(key: string): string {
  return key.slice(key.lastIndexOf(separator) + 1)
}

/** The number in an ordered part. */
export function parseOrdered(part: string): number {
  return Number.parseInt(part, 16)
}

/** Returns the event that the last two parts of a key name. */
export function eventNameIn(key: string): EventName {
  const [position = '', index = ''] = partsOf(key).slice(-2)
  return { position: parseOrdered(position), index: parseOrdered(index) }
}

/** The first parts of all keys, in order. */
const families = [
  'asked',
  'change',
  'day',
  'document',
  'erased',
  'level',
  'meta',
  'outbox',
  'relation',
  'staged',
  'tokens',
  'user',
] as const

/** Ranges without keys of this version or an earlier one: before, between and after the families. */
export const betweenFamilies: readonly KeyRange[] = ['\u0000', ...families].map((family, index) => {
  const next = families[index]
  return { gt: index === 0 ? family : below(family).lt, lt: next === undefined ? '\uffff' : below(next).gt }
})

const metaKeys: ReadonlySet<string> = new Set(Object.values(keys).filter(key => typeof key === 'string'))

/** Whether this version knows a key of `meta`. */
export function isMetaKey(key: string): boolean {
  return metaKeys.has(key)
}

/**
 * Keys before and after every other key. `compact` writes and removes them, so that LevelDB rewrites the files between them.
 */
export const firstKey = '\u0000'
export const lastKey = '\uffff'
