import * as encoding from 'lib0/encoding'

/** Yjs updates in `updateV1`, written struct by struct. They can so express what no Y.Doc would write. */
export interface RawId {
  client: number
  clock: number
}

export type RawContent =
  | { is: 'deleted'; length: number }
  | { is: 'json'; values: string[] }
  | { is: 'binary'; bytes: Uint8Array }
  | { is: 'string'; text: string }
  | { is: 'embed'; json: string }
  | { is: 'format'; key: string; json: string }
  | { is: 'type'; ref: number }
  | { is: 'any'; values: unknown[] }
  | { is: 'doc'; guid: string }

export type RawStruct =
  | { gc: number }
  | { skip: number }
  | {
      content: RawContent
      origin?: RawId | undefined
      rightOrigin?: RawId | undefined
      /** A root's name, or the item that holds a nested type. */
      parent?: string | RawId | undefined
      key?: string | undefined
    }

export interface RawBlock extends RawId {
  structs: RawStruct[]
}

export interface RawRange extends RawId {
  length: number
}

/** An item that sets one key of a root, as Y.Map does. */
export function entry(root: string, key: string, value: unknown, origin?: RawId): RawStruct {
  const content: RawContent =
    value === undefined
      ? { is: 'deleted', length: 1 }
      : value instanceof Uint8Array
        ? { is: 'binary', bytes: value }
        : { is: 'any', values: [value] }
  return origin ? { content, origin } : { content, parent: root, key }
}

export function rawUpdate(blocks: readonly RawBlock[], removals: readonly RawRange[] = []): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, blocks.length)
  for (const { client, clock, structs } of blocks) {
    for (const number of [structs.length, client, clock]) encoding.writeVarUint(encoder, number)
    for (const struct of structs) writeStruct(encoder, struct)
  }
  const clients = [...new Set(removals.map(({ client }) => client))]
  encoding.writeVarUint(encoder, clients.length)
  for (const client of clients) {
    const ranges = removals.filter(range => range.client === client)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const { clock, length } of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, length)
    }
  }
  return encoding.toUint8Array(encoder)
}

const refs = { deleted: 1, json: 2, binary: 3, string: 4, embed: 5, format: 6, type: 7, any: 8, doc: 9 } as const

function writeStruct(encoder: encoding.Encoder, struct: RawStruct): void {
  if ('gc' in struct || 'skip' in struct) {
    encoding.writeUint8(encoder, 'gc' in struct ? 0 : 10)
    return encoding.writeVarUint(encoder, 'gc' in struct ? struct.gc : struct.skip)
  }
  const { content, origin, rightOrigin, parent = 'contacts', key } = struct
  const hasParent = !origin && !rightOrigin
  const info = refs[content.is] | (origin ? 128 : 0) | (rightOrigin ? 64 : 0) | (key === undefined ? 0 : 32)
  encoding.writeUint8(encoder, info)
  if (origin) writeId(encoder, origin)
  if (rightOrigin) writeId(encoder, rightOrigin)
  if (hasParent) {
    encoding.writeVarUint(encoder, typeof parent === 'string' ? 1 : 0)
    if (typeof parent === 'string') encoding.writeVarString(encoder, parent)
    else writeId(encoder, parent)
    if (key !== undefined) encoding.writeVarString(encoder, key)
  }
  writeContent(encoder, content)
}

function writeId(encoder: encoding.Encoder, { client, clock }: RawId): void {
  encoding.writeVarUint(encoder, client)
  encoding.writeVarUint(encoder, clock)
}

function writeContent(encoder: encoding.Encoder, content: RawContent): void {
  switch (content.is) {
    case 'deleted':
      return encoding.writeVarUint(encoder, content.length)
    case 'json':
      encoding.writeVarUint(encoder, content.values.length)
      for (const value of content.values) encoding.writeVarString(encoder, value)
      return
    case 'binary':
      return encoding.writeVarUint8Array(encoder, content.bytes)
    case 'string':
      return encoding.writeVarString(encoder, content.text)
    case 'embed':
      return encoding.writeVarString(encoder, content.json)
    case 'format':
      encoding.writeVarString(encoder, content.key)
      return encoding.writeVarString(encoder, content.json)
    case 'type':
      return encoding.writeVarUint(encoder, content.ref)
    case 'any':
      encoding.writeVarUint(encoder, content.values.length)
      for (const value of content.values) encoding.writeAny(encoder, value as never)
      return
    case 'doc':
      encoding.writeVarString(encoder, content.guid)
      return encoding.writeAny(encoder, {})
  }
}
