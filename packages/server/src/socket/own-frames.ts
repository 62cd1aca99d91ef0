import { encodeFrame } from '@kith/shared/wire'
import type { DocumentName } from '../relations/records.ts'

const framesByUpdate = new WeakMap<Uint8Array, Uint8Array>()

/** The frame that carries an update of the user's own document. It is encoded once for all devices that get it. */
export function ownFrame(document: DocumentName, update: Uint8Array): Uint8Array {
  const known = framesByUpdate.get(update)
  if (known) return known
  const type = document === 'roster' ? 'rosterSync' : 'ownProfile'
  const frame = encodeFrame({ type, step: 'update', payload: update })
  framesByUpdate.set(update, frame)
  return frame
}
