import * as Y from 'yjs'
import type { DeletedRange } from './update-writer.ts'

/** A range of ids within one struct, or of ids that the document does not contain. */
export interface Part {
  struct: Y.Item | Y.GC | undefined
  clock: number
  len: number
}

/** Splits a range into parts, each within one struct of the document. */
export function partsOf({ store }: Y.Doc, { client, clock, len }: DeletedRange): Part[] {
  const structs = store.clients.get(client) ?? []
  const end = clock + len
  const known = Math.min(end, Y.getState(store, client))
  const parts: Part[] = []
  let at = clock
  for (let index = at < known ? Y.findIndexSS(structs, at) : structs.length; at < known; index++) {
    const struct = structs[index] as Y.Item | Y.GC
    const next = Math.min(known, struct.id.clock + struct.length)
    parts.push({ struct, clock: at, len: next - at })
    at = next
  }
  if (at < end) parts.push({ struct: undefined, clock: at, len: end - at })
  return parts
}

/** Appends a part to the sorted ranges of one client. */
export function appendPart(ranges: DeletedRange[], client: number, { clock, len }: Part): void {
  const last = ranges.at(-1)
  if (last?.client === client && last.clock + last.len === clock) last.len += len
  else ranges.push({ client, clock, len })
}
