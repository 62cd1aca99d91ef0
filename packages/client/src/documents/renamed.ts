import * as Y from 'yjs'
import type { Struct } from './causal-order.ts'
import { type Block, type DeletedRange, encodeStruct, writeUpdate } from './update-writer.ts'

/** Which structs are renamed: those of a client from a clock on. They are counted from 0 under another client id. */
export interface Renaming {
  client: number
  from: number
  to: number
}

/**
 * Returns the update with some structs renamed, and all references to them. Two copies of one database write different structs
 * under equal ids; after renaming, the structs of this copy can be merged with the others.
 */
export function renamed(update: Uint8Array, renaming: Renaming): Uint8Array {
  const { structs, ds } = Y.decodeUpdate(update)
  const blocks = new Map<number, Block>()
  for (const struct of structs.flatMap(struct => renamedStruct(struct, renaming))) {
    const { client, clock } = struct.id
    const block = blocks.get(client) ?? { client, clock, structs: [] }
    blocks.set(client, block)
    block.structs.push(encodeStruct(struct as Y.Item))
  }
  const deleted = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.flatMap(({ clock, len }) => renamedRange({ client, clock, len }, renaming)),
  )
  return writeUpdate(
    [...blocks.values()],
    deleted.sort((a, b) => a.client - b.client || a.clock - b.clock),
  )
}

function renamedStruct(struct: Struct, renaming: Renaming): Struct[] {
  const { id, length } = struct
  const inside = id.client === renaming.client ? id.clock + length - renaming.from : 0
  if (!(struct instanceof Y.Item)) return [struct]
  const origin = struct.origin && renamedId(struct.origin, renaming)
  const item = (at: Y.ID, before: Y.ID | null, content: Y.Item['content']): Y.Item =>
    new Y.Item(at, null, before, null, struct.rightOrigin, struct.parent, struct.parentSub, content)
  if (inside <= 0 || inside >= length) return [item(renamedId(id, renaming), origin, struct.content)]
  // Removed entries are encoded as one struct, of which only the end is renamed.
  const rest = struct.content.splice(length - inside)
  return [
    item(id, origin, struct.content),
    item(Y.createID(renaming.to, 0), Y.createID(id.client, renaming.from - 1), rest),
  ]
}

function renamedId(id: Y.ID, { client, from, to }: Renaming): Y.ID {
  return id.client === client && id.clock >= from ? Y.createID(to, id.clock - from) : id
}

function renamedRange(range: DeletedRange, { client, from, to }: Renaming): DeletedRange[] {
  const end = range.clock + range.len
  if (range.client !== client || end <= from) return [range]
  const start = Math.max(range.clock, from)
  const after = { client: to, clock: start - from, len: end - start }
  return range.clock < from ? [{ ...range, len: from - range.clock }, after] : [after]
}
