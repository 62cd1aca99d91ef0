import * as Y from 'yjs'
import type { OwnDocument } from './own-document.ts'
import { type DeletedRange, writeUpdate } from './update-writer.ts'

/**
 * Entries of a document that are removed only because others stand in their place, which `update` brings to the server, as
 * an update that removes them. Sent ahead of what replaces them, it would take from the server what stands on the device.
 */
export function replacedEntries({ doc, roots }: OwnDocument, update: Uint8Array): Uint8Array {
  const { from } = Y.parseUpdateMeta(update)
  const replaced: DeletedRange[] = []
  for (const root of roots) {
    for (const { id, deleted, left } of doc.getMap(root)._map.values()) {
      if (deleted || id.clock < (from.get(id.client) ?? Number.POSITIVE_INFINITY)) continue
      for (let item = left; item; item = item.left) {
        replaced.push({ client: item.id.client, clock: item.id.clock, len: item.length })
      }
    }
  }
  return writeUpdate(
    [],
    replaced.sort((a, b) => a.client - b.client || a.clock - b.clock),
  )
}
