import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

type Structs = ReturnType<typeof Y.decodeUpdate>['structs']

/**
 * An update says only what is new; Yjs keeps it aside until what it builds on has come. When the telling begins in the
 * middle, as after a reload of the page, that never comes. So the gaps are filled with what Yjs puts in place of something
 * that is gone: new keys can be read then, and what stands on the gap is known to be unreadable.
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

/** An update of one client with one struct, garbage of that length, and no removals. */
function filler({ client, start, end }: { client: number; start: number; end: number }): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const number of [1, 1, client, start]) encoding.writeVarUint(encoder, number)
  encoding.writeUint8(encoder, garbage)
  encoding.writeVarUint(encoder, end - start)
  encoding.writeVarUint(encoder, 0)
  return encoding.toUint8Array(encoder)
}
