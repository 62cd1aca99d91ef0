import {
  dayKey,
  flatMapsOf,
  founderOf,
  isFounder,
  type Limits,
  mostRetired,
  nextFounder,
  profileRoot,
  type RosterSettings,
  retiredKey,
  retiredOf,
  retiredRoot,
  rosterRoots,
  rosterSettings,
} from '@kith/shared'
import { digest } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'
import * as Y from 'yjs'
import type { DocumentName } from '../relations/records.ts'
import { declinedIn, isLong } from './declined.ts'
import { isDue } from './due.ts'
import type { StoredDocument } from './stored-document.ts'

/** The options of a refounding. */
export interface Founding {
  /** Refound even if the history is small. */
  isForced: boolean
  /** The day that is recorded, in whole days since 1970. */
  today: number
  /** The day by which declined users lapse. */
  lapsingDay: number
  /** Users whom the roster stops declining. */
  lapsed: readonly string[]
}

/** A document of the next generation. */
export interface Founded {
  snapshot: Uint8Array
  /** The settings of a roster, unchanged. */
  settings: RosterSettings
}

/** Checks again, because another node may have refounded the document meanwhile. `isForced`: also if the history is small. */
export function foundIfDue(
  name: DocumentName,
  document: StoredDocument,
  limits: Limits,
  founding: Founding,
): Founded | undefined {
  document.looksAgainAt = 0
  const isFounded = founding.isForced ? document.structs > 0 : isDue(name, document, limits, founding.lapsingDay)
  return isFounded ? refounded(name, document, founding) : undefined
}

/**
 * Returns the same content as one transaction of one client. Of the earlier generations, it keeps only the clocks at which
 * their clients ended. The result is determined by the document and, if users are declined, by the days. So two nodes that
 * refound the same document produce the same bytes, or different founders.
 */
function refounded(name: DocumentName, { doc }: StoredDocument, founding: Founding): Founded {
  const { today, lapsingDay, lapsed } = founding
  const declined = name === 'roster' ? declinedSince(doc, founding) : new Map()
  const days =
    declined.size > 0 || lapsed.length > 0 ? encodeUtf8(JSON.stringify([today, lapsingDay, lapsed])) : new Uint8Array()
  const summary = digest(Buffer.concat([Y.encodeSnapshot(Y.snapshot(doc)), days]))
  const low = new DataView(summary.buffer, summary.byteOffset, 4).getUint32(0)
  const fresh = new Y.Doc({ gc: true })
  fresh.clientID = nextFounder(founderOf(doc.store.clients.keys()), low)
  fresh.transact(() => {
    for (const root of name === 'roster' ? rosterRoots.filter(root => root !== 'declined') : [profileRoot]) {
      const entries = [...doc.getMap(root)].sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [key, value] of entries) fresh.getMap(root).set(key, value)
    }
    for (const [day, users] of declined) {
      for (const user of users) fresh.getMap('declined').set(user, true)
      fresh.getMap(retiredRoot).set(dayKey(day), Y.getState(fresh.store, fresh.clientID))
    }
    for (const [client, clock] of retiredIn(doc)) fresh.getMap(retiredRoot).set(retiredKey(client), clock)
  })
  const snapshot = Y.encodeStateAsUpdateV2(fresh)
  const settings = rosterSettings(flatMapsOf(fresh))
  fresh.destroy()
  return { snapshot, settings }
}

/**
 * The users whom the roster continues to decline, by day, the earliest first. For a user whose time is over but who did not
 * lapse, it starts again today.
 */
function declinedSince(doc: Y.Doc, { today, lapsingDay, lapsed }: Founding): Map<number, string[]> {
  const lapsing = new Set(lapsed)
  const users = new Map<number, string[]>()
  const renewed: string[] = []
  for (const { user, since } of declinedIn(doc)) {
    if (lapsing.has(user)) continue
    if (since === undefined || since >= today || isLong(since, lapsingDay)) renewed.push(user)
    else {
      const ofDay = users.get(since)
      if (ofDay) ofDay.push(user)
      else users.set(since, [user])
    }
  }
  return renewed.length > 0 ? users.set(today, renewed) : users
}

/**
 * The clients of this generation and of earlier ones, the newest generation first. In each generation, its founder comes first,
 * then the client with the highest clock.
 */
function retiredIn(doc: Y.Doc): [client: number, clock: number][] {
  const ended = [...doc.store.clients.keys()].map((client): [number, number] => [client, Y.getState(doc.store, client)])
  const rank = ([client, clock]: [number, number]): number => (isFounder(client) ? Number.POSITIVE_INFINITY : clock)
  ended.sort((a, b) => (rank(a) === rank(b) ? a[0] - b[0] : rank(b) - rank(a)))
  const own = new Set(ended.map(([client]) => client))
  const earlier = [...retiredOf(doc)].filter(([client]) => !own.has(client))
  return [...ended, ...earlier].slice(0, mostRetired)
}
