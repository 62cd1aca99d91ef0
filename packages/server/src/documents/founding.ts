import {
  flatMapsOf,
  founderOf,
  isFounder,
  type Limits,
  mostRetired,
  nextFounder,
  profileBytes,
  profileRoot,
  type RosterSettings,
  retiredKey,
  retiredOf,
  retiredRoot,
  rosterBytes,
  rosterRoots,
  rosterSettings,
} from '@kith/shared'
import { digest } from 'lib0/hash/sha256'
import * as Y from 'yjs'
import type { DocumentName } from '../relations/records.ts'
import { bytesPerStruct } from './document-weight.ts'
import type { StoredDocument } from './stored-document.ts'

/** The history weighs so many times what the content does. */
const outweighing = 4

/** A document of the next generation. */
export interface Founded {
  snapshot: Uint8Array
  /** Those of a roster, which are unchanged. */
  settings: RosterSettings
}

/** Whether what Yjs keeps of removed and overwritten entries outweighs the content, so that it is worth founding anew. */
export function isOutweighed(name: DocumentName, document: StoredDocument, { refoundBytes }: Limits): boolean {
  // An upper bound first, and then seldom: the look itself costs as much as the document is large.
  if (document.weight < Math.max(refoundBytes, document.looksAgainAt)) return false
  document.looksAgainAt = document.weight + document.weight / 8
  const { doc } = document
  const content = contentBytes(name, doc)
  const history = Math.max(Y.encodeStateAsUpdateV2(doc).length, bytesPerStruct * document.structs) - content
  return history >= Math.max(refoundBytes, outweighing * content)
}

/** Looks once more: another node may have founded it meanwhile. `isForced`: whatever it has of a history. */
export function foundIfOutweighed(
  name: DocumentName,
  document: StoredDocument,
  limits: Limits,
  isForced: boolean,
): Founded | undefined {
  document.looksAgainAt = 0
  const isDue = isForced ? document.structs > 0 : isOutweighed(name, document, limits)
  return isDue ? foundAnew(name, document) : undefined
}

function contentBytes(name: DocumentName, doc: Y.Doc): number {
  const maps = flatMapsOf(doc)
  let bytes = 0
  if (name === 'roster') bytes = rosterBytes(maps)
  else for (const level of profileBytes(maps).values()) bytes += level
  return bytes + bytesPerRetired * retiredOf(doc).size
}

const bytesPerRetired = 32

/**
 * The same content as one transaction of one client, and of the earlier generations nothing but where their clients ended. All
 * of it follows from the document: two nodes that found the same document anew, or a server that does so once more after it
 * was restored from a backup, come to the same bytes.
 */
function foundAnew(name: DocumentName, { doc }: StoredDocument): Founded {
  const summary = digest(Y.encodeSnapshot(Y.snapshot(doc)))
  const low = new DataView(summary.buffer, summary.byteOffset, 4).getUint32(0)
  const fresh = new Y.Doc({ gc: true })
  fresh.clientID = nextFounder(founderOf(doc.store.clients.keys()), low)
  fresh.transact(() => {
    for (const root of name === 'roster' ? rosterRoots : [profileRoot]) {
      const entries = [...doc.getMap(root)].sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [key, value] of entries) fresh.getMap(root).set(key, value)
    }
    for (const [client, clock] of retiredIn(doc)) fresh.getMap(retiredRoot).set(retiredKey(client), clock)
  })
  const snapshot = Y.encodeStateAsUpdateV2(fresh)
  const settings = rosterSettings(flatMapsOf(fresh))
  fresh.destroy()
  return { snapshot, settings }
}

/** Of the clients of this generation and those before, the newest first: of each generation its founder, then its busiest. */
function retiredIn(doc: Y.Doc): [client: number, clock: number][] {
  const ended = [...doc.store.clients.keys()].map((client): [number, number] => [client, Y.getState(doc.store, client)])
  const rank = ([client, clock]: [number, number]): number => (isFounder(client) ? Number.POSITIVE_INFINITY : clock)
  ended.sort((a, b) => (rank(a) === rank(b) ? a[0] - b[0] : rank(b) - rank(a)))
  const own = new Set(ended.map(([client]) => client))
  const earlier = [...retiredOf(doc)].filter(([client]) => !own.has(client))
  return [...ended, ...earlier].slice(0, mostRetired)
}
