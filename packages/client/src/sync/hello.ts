import { documentDigest } from '@kith/shared'
import { type ClientMessage, maxHelloOwners, oldestWire, wireVersion } from '@kith/shared/wire'
import { fetchedOwners } from '../database/fetched-replicas.ts'
import { readMeta } from '../database/meta.ts'
import type { OwnDocuments } from '../database/own-documents.ts'
import type { Store } from '../database/store.ts'
import { type DocumentName, documentNames } from '../documents/name.ts'

type Hello = Extract<ClientMessage, { type: 'hello' }>

/** Data of earlier sessions in this device's database. */
export interface Before {
  cursor: Uint8Array
  /** The incarnation of the account that this device synced with [D7]. */
  incarnation: Uint8Array | undefined
  /** Owners whose replicas end with the session, as far as the server knew. */
  fetched: string[]
}

export function readBefore(store: Store): Promise<Before> {
  return store.use(async db => ({
    cursor: (await readMeta(db, 'cursor')) ?? new Uint8Array(),
    incarnation: await readMeta(db, 'incarnation'),
    fetched: await fetchedOwners(db),
  }))
}

/**
 * Digests of the documents with a long history; they are requested only if the server holds something else. A document that was
 * rebuilt on a server's state always needs to know what this server holds, so it has no digest.
 */
export function digestsOf(documents: OwnDocuments): NonNullable<Hello['holds']> {
  const holds: Partial<Record<DocumentName, Uint8Array>> = {}
  for (const name of documentNames) {
    const digest = documents.known[name] ? undefined : documentDigest(documents[name].doc)
    if (digest) holds[name] = digest
  }
  return holds
}

/** Returns the hello of a session, and the owners that did not fit into it. */
export function helloOf(
  { cursor, incarnation, fetched }: Before,
  accessed: Iterable<string>,
  isVersioned: boolean,
  holds: NonNullable<Hello['holds']> = {},
): [Hello, rest: string[]] {
  const all = [...new Set([...fetched, ...accessed])]
  // The server shows nothing to a new user yet.
  const owners = cursor.length > 0 ? all.slice(0, maxHelloOwners) : []
  const hello: Hello = {
    type: 'hello',
    ...(isVersioned ? { version: wireVersion, oldest: oldestWire } : { version: 1 }),
    cursor,
    ...(incarnation && { incarnation }),
    ...(owners.length > 0 && { owners }),
    ...(Object.keys(holds).length > 0 && { holds }),
  }
  return [hello, all.slice(owners.length)]
}
