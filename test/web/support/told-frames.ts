import { applyChanges, type KeyChange } from '@kith/shared'
import { encodeFrame, type Frame } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Direction } from '../../../examples/web/src/trace/recording-socket.ts'
import { Teller } from '../../../examples/web/src/trace/teller.ts'
import type { Told } from '../../../examples/web/src/trace/told.ts'

/** Returns a teller of Alice's phone, and its sentences about frames. */
export function teller(): {
  sent(message: Frame): Told
  received(message: Frame): Told
  bytes(direction: Direction, bytes: Uint8Array): Told
  reconnected(): Told
} {
  const told = new Teller({
    device: 'Alice’s phone',
    user: 'alice',
    nameOf: user => user[0]?.toUpperCase() + user.slice(1),
  })
  const bytes = (direction: Direction, frame: Uint8Array): Told => {
    return told.tell({ type: 'frame', atMs: 0, direction, bytes: frame })
  }
  return {
    sent: message => bytes('sent', encodeFrame(message)),
    received: message => bytes('received', encodeFrame(message)),
    bytes,
    reconnected: () => told.tell({ type: 'opened', atMs: 0 }),
  }
}

/** Returns a device's replica of a document, and the update of each edit of it. Keys are written as `contacts:bob`. */
export function replica(): { doc: Y.Doc; edit(...changes: [key: string, value: KeyChange['value']][]): Uint8Array } {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  return {
    doc,
    edit: (...changes) => {
      const keyChanges = changes.map(([name, value]) => {
        const [root = '', key = ''] = name.split(':')
        return { root, key, value }
      })
      applyChanges(doc, keyChanges)
      return Y.mergeUpdates(updates.splice(0))
    },
  }
}
