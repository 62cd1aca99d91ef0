import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

/** A range of deleted structs of one client. */
export interface DeletedRange {
  client: number
  clock: number
  len: number
}

/** Encodes a struct as in Yjs' `updateV1` encoding. */
export function encodeStruct(struct: Y.Item | Y.GC | Y.Skip): Uint8Array {
  const encoder = new Y.UpdateEncoderV1()
  struct.write(encoder, 0)
  return encoding.toUint8Array(encoder.restEncoder)
}

/** Consecutive structs of one client, from `clock` on. */
export interface Block {
  client: number
  clock: number
  structs: Uint8Array[]
}

/** Writes a Yjs update in `updateV1`: at most one block for each client, and deleted ranges sorted by client and clock. */
export function writeUpdate(blocks: readonly Block[], deleted: readonly DeletedRange[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, blocks.length)
  for (const { client, clock, structs } of blocks) {
    encoding.writeVarUint(encoder, structs.length)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    for (const struct of structs) encoding.writeUint8Array(encoder, struct)
  }
  const byClient = rangesByClient(deleted)
  encoding.writeVarUint(encoder, byClient.size)
  for (const [client, ranges] of byClient) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, len)
    }
  }
  return encoding.toUint8Array(encoder)
}

export function rangesByClient(ranges: readonly DeletedRange[]): Map<number, DeletedRange[]> {
  const byClient = new Map<number, DeletedRange[]>()
  for (const range of ranges) {
    const list = byClient.get(range.client)
    if (list) list.push(range)
    else byClient.set(range.client, [range])
  }
  return byClient
}
