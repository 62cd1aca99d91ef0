import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import type { Removals } from './item-values.ts'
import { ItemsByClient } from './items-by-client.ts'

/**
 * Splits an update into several, to be applied in their order: one for each of these slices of its items, with the removals
 * within that slice. The first one also removes items of the document.
 */
export function* updateSlices(
  doc: Y.Doc,
  slices: readonly (readonly Y.Item[])[],
  removals: Removals,
): Generator<Uint8Array> {
  let from: ReadonlyMap<number, number> = new Map()
  const to = new Map([...removals.clients.keys()].map(client => [client, Y.getState(doc.store, client)]))
  for (const [index, items] of slices.entries()) {
    if (index > 0 && items.length === 0) continue
    for (const { id, length } of items) to.set(id.client, Math.max(to.get(id.client) ?? 0, id.clock + length))
    yield encoded(new ItemsByClient(items), [...removedBetween(removals, from, to)])
    from = new Map(to)
  }
}

interface Removed {
  client: number
  ranges: { clock: number; len: number }[]
}

/** The removals of each client's items, from one clock to another. */
function* removedBetween(
  removals: Removals,
  from: ReadonlyMap<number, number>,
  to: ReadonlyMap<number, number>,
): Generator<Removed> {
  for (const [client, all] of removals.clients) {
    const ranges: Removed['ranges'] = []
    for (const { clock, len } of all) {
      const start = Math.max(clock, from.get(client) ?? 0)
      const end = Math.min(clock + len, to.get(client) ?? 0)
      if (end > start) ranges.push({ clock: start, len: end - start })
    }
    if (ranges.length > 0) yield { client, ranges }
  }
}

function encoded(items: ItemsByClient, removed: readonly Removed[]): Uint8Array {
  const encoder = new Y.UpdateEncoderV1()
  const { restEncoder } = encoder
  encoding.writeVarUint(restEncoder, items.clients.length)
  for (const client of items.clients) {
    const structs = items.of(client)
    encoding.writeVarUint(restEncoder, structs.length)
    encoding.writeVarUint(restEncoder, client)
    encoding.writeVarUint(restEncoder, (structs[0] as Y.Item).id.clock)
    for (const struct of structs) struct.write(encoder, 0)
  }
  encoding.writeVarUint(restEncoder, removed.length)
  for (const { client, ranges } of removed) {
    encoding.writeVarUint(restEncoder, client)
    encoding.writeVarUint(restEncoder, ranges.length)
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(restEncoder, clock)
      encoding.writeVarUint(restEncoder, len)
    }
  }
  return encoder.toUint8Array()
}
