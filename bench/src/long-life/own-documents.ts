import { defaultLimits, founderOf, generationOf } from '@kith/shared'
import * as Y from 'yjs'
import { RawDevice } from '../raw-device.ts'
import { type Row, rounded } from '../report.ts'
import type { Bounds } from './bounds.ts'
import type { LifeServer } from './life-server.ts'

/** Loads the documents of a user as a new device receives them. */
export async function ownDocuments(server: LifeServer, user: string): Promise<RawDevice> {
  const device = new RawDevice(user)
  device.isVersioned = true
  await device.connect(server, await server.token(user), true)
  device.close()
  return device
}

/** Returns the size of a document, and the cost for a new device to receive and load it. */
export function sizesOf(name: 'roster' | 'profile', doc: Y.Doc): Row {
  const update = Y.encodeStateAsUpdate(doc)
  const begun = performance.now()
  Y.applyUpdate(new Y.Doc(), update)
  const loadMs = performance.now() - begun
  let items = 0
  for (const structs of doc.store.clients.values()) items += structs.length
  return {
    [`${name}: generation`]: generationOf(founderOf(doc.store.clients.keys())),
    [`${name}: KB on disk`]: rounded(Y.encodeStateAsUpdateV2(doc).length / 1000),
    [`${name}: KB to a device`]: rounded(update.length / 1000),
    [`${name}: items`]: items,
    [`${name}: state vector`]: Y.encodeStateVector(doc).length,
    [`${name}: ms to load`]: rounded(loadMs),
  }
}

/**
 * Returns the maximum sizes of a document with this much content before it is refounded. The server checks this each time that
 * the document grows by an eighth.
 */
export function boundsOf(name: 'roster' | 'profile', contentBytes: number): Bounds {
  const most = (9 / 8) * (contentBytes + Math.max(defaultLimits.refoundBytes, 4 * contentBytes))
  return {
    [`${name}: KB on disk`]: rounded(most / 1000),
    // In the encoding of the wire, each item contains its client and its neighbours in full.
    [`${name}: KB to a device`]: rounded((2 * most) / 1000),
    [`${name}: items`]: Math.ceil(most / 16),
    [`${name}: state vector`]: 300,
    [`${name}: ms to load`]: 500,
  }
}

/** Returns how many bytes a device may keep: as many as the server may send of its documents. */
export function boundsOfDevice(documents: Bounds): Bounds {
  const bytes = Object.entries(documents).filter(([figure]) => figure.endsWith('KB to a device'))
  return { 'device: KB': rounded(bytes.reduce((sum, [, most]) => sum + most, 0)) }
}

/** Returns the bytes of a document with the same entries and no history. */
export function contentBytes(doc: Y.Doc): number {
  const fresh = new Y.Doc()
  fresh.transact(() => {
    for (const root of doc.share.keys()) {
      for (const [key, value] of doc.getMap(root)) fresh.getMap(root).set(key, value)
    }
  })
  return Y.encodeStateAsUpdate(fresh).length
}
