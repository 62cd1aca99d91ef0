import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

type Structs = ReturnType<typeof Y.decodeUpdate>['structs']

/**
 * An update contains only what is new, and Yjs keeps it pending until its predecessors have arrived. If recording begins in the
 * middle, for example after a reload of the page, they never arrive. So the gaps are filled with garbage structs, which Yjs
 * uses for removed content. Then new keys can be read, and what builds on a gap is known to be unreadable.
 */
export function fillersFor(doc: Y.Doc, structs: Structs): Uint8Array[] {
  const first = new Map<number, number>()
  for (const { id } of structs) first.set(id.client, Math.min(first.get(id.client) ?? Infinity, id.clock))
  const needed = new Map(first)
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    for (const id of [struct.origin, struct.rightOrigin]) {
      if (id && !first.has(id.client)) needed.set(id.client, Math.max(needed.get(id.client) ?? 0, id.clock + 1))
    }
  }
  return [...needed]
    .map(([client, end]) => ({ client, end, start: Y.getState(doc.store, client) }))
    .filter(({ start, end }) => start < end)
    .map(filler)
}

const garbage = 0

/** An update of one client with one garbage struct of that length, and no removals. */
function filler({ client, start, end }: { client: number; start: number; end: number }): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const number of [1, 1, client, start]) encoding.writeVarUint(encoder, number)
  encoding.writeUint8(encoder, garbage)
  encoding.writeVarUint(encoder, end - start)
  encoding.writeVarUint(encoder, 0)
  return encoding.toUint8Array(encoder)
}
