import { flatMapsOf, founderOf, knownDays, namedUsers, rosterEntryBytes } from '@kith/shared'
import type * as Y from 'yjs'

const root = 'declined'
/** For this number of days, a roster remembers that it declined a user who is not registered and whom it names nowhere else. */
const daysKept = 730

/** A user whom a roster has declined, and the latest day on which it can have begun. `undefined`: since the last refounding. */
interface Declined {
  user: string
  since: number | undefined
}

/**
 * Returns all users whom a roster has declined: first those that the founder wrote, the oldest first, then the others. Equal
 * ones are sorted by id.
 */
export function declinedIn(doc: Y.Doc): Declined[] {
  const founder = founderOf(doc.store.clients.keys())
  const days = knownDays(doc)
  const declined = [...doc.getMap(root)._map].flatMap(([user, { id, deleted }]): Declined[] => {
    if (deleted) return []
    const since = id.client === founder ? days.find(({ clock }) => id.clock < clock)?.day : undefined
    return [{ user, since }]
  })
  const rank = ({ since }: Declined): number => since ?? Number.POSITIVE_INFINITY
  return declined.sort((a, b) => (rank(a) === rank(b) ? (a.user < b.user ? -1 : 1) : rank(a) - rank(b)))
}

/** Returns the users that may be forgotten if they are not registered. `lapsingDay`: whole days since 1970. */
export function longDeclined(doc: Y.Doc, lapsingDay: number): string[] {
  const long = declinedIn(doc).filter(({ since }) => isLong(since, lapsingDay))
  if (long.length === 0) return []
  const maps = flatMapsOf(doc)
  const met = namedUsers({ ...maps, entries: name => (name === root ? [] : maps.entries(name)) })
  return long.map(({ user }) => user).filter(user => !met.has(user))
}

/**
 * Returns the bytes of users whom a roster declined long ago, or on a day that is not recorded. After a refounding there are
 * none: each of them is forgotten, or gets a recorded day.
 */
export function oldDeclinedBytes(doc: Y.Doc, lapsingDay: number): number {
  let bytes = 0
  for (const { user, since } of declinedIn(doc)) {
    if (since === undefined || isLong(since, lapsingDay)) bytes += rosterEntryBytes(root, user, true)
  }
  return bytes
}

export function isLong(since: number | undefined, lapsingDay: number): boolean {
  return since !== undefined && lapsingDay - since >= daysKept
}
