import * as Y from 'yjs'
import { inCausalOrder, type Struct } from './causal-order.ts'
import { withoutReplaced } from './replaced.ts'
import { type Block, type DeletedRange, encodeStruct, rangesByClient, writeUpdate } from './update-writer.ts'
import { wideningApart } from './widening.ts'

/** An update in pieces. The server can apply each one separately, in this order. */
export interface Pieces {
  /** Removals of entries that the update itself does not contain; they build on nothing else here. */
  removals: Uint8Array[]
  /** The same structs as in the update, so that changes to them by other devices still count [D6]. */
  content: Uint8Array[]
  /** Removals that let others see more: they are sent last. */
  widening: Uint8Array[]
}

/** The maximum number of structs in a piece, which also limits the server's work for it. */
const structsPerPiece = 4_000
/** A deleted range is encoded as at most two numbers of ten bytes. */
const bytesPerRange = 20
/** The maximum size of the counts around the structs of one client. */
const bytesPerBlock = 24

/** Returns the update unchanged if it is small enough, otherwise in pieces. */
export function inPieces(update: Uint8Array, maxBytes: number, doc: Y.Doc): Uint8Array[] {
  if (update.length <= maxBytes) return [update]
  const { removals, content, widening } = piecesOf(update, maxBytes, doc, [])
  return [...removals, ...content, ...widening]
}

/**
 * A piece is larger than `maxBytes` only if it is a single struct. `doc`: a document that contains the update; with it, the
 * deletions of replaced entries are omitted from the removals. `showsValues`: the document shows its values to others, so only
 * entries that were made again are omitted (`ReplacingOptions`). `unsent`: updates that are sent later.
 */
export function piecesOf(
  update: Uint8Array,
  maxBytes: number,
  doc: Y.Doc,
  unsent: readonly Uint8Array[],
  showsValues = false,
): Pieces {
  const { structs, ds } = Y.decodeUpdate(update)
  const brought = broughtBy(structs)
  const [outside, inside]: [DeletedRange[], DeletedRange[]] = [[], []]
  for (const [client, ranges] of ds.clients) {
    const { from, to } = brought.get(client) ?? { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY }
    for (const { clock, len } of ranges) {
      const end = clock + len
      for (const [start, stop, list] of [
        [clock, Math.min(end, from), outside],
        [Math.max(clock, from), Math.min(end, to), inside],
        [Math.max(clock, to), end, outside],
      ] as const) {
        if (stop > start) list.push({ client, clock: start, len: stop - start })
      }
    }
  }
  const options = { isBrought: isWithin([brought]), isUnsent: isWithin(unsent.map(spans)), showsValues }
  const others = wideningApart(doc, withoutReplaced(doc, outside, options))
  const own = wideningApart(doc, inside)
  return {
    removals: removalPieces(others.narrowing, maxBytes),
    content: contentPieces(structs, own.narrowing, maxBytes),
    widening: removalPieces([...others.widening, ...own.widening], maxBytes),
  }
}

/** The removals of an update, except for those that the unsent updates contain, and those that let others see more. */
export function removalsBut(
  update: Uint8Array,
  unsent: readonly Uint8Array[],
  maxBytes: number,
  doc: Y.Doc,
): Uint8Array[] {
  const excepted = new Map<number, { clock: number; len: number }[]>()
  for (const other of unsent) {
    for (const [client, ranges] of Y.decodeUpdate(other).ds.clients) {
      excepted.set(client, [...(excepted.get(client) ?? []), ...ranges])
    }
  }
  const left = piecesOf(update, Number.POSITIVE_INFINITY, doc, unsent).removals.flatMap(removals =>
    [...Y.decodeUpdate(removals).ds.clients].flatMap(([client, ranges]) => {
      const holes = (excepted.get(client) ?? []).sort((a, b) => a.clock - b.clock)
      return ranges.flatMap(({ clock, len }) => without({ client, clock, len }, holes))
    }),
  )
  return removalPieces(left, maxBytes)
}

function without(range: DeletedRange, holes: readonly { clock: number; len: number }[]): DeletedRange[] {
  const { client } = range
  const end = range.clock + range.len
  const left: DeletedRange[] = []
  let from = range.clock
  for (const { clock, len } of holes) {
    if (clock >= end) break
    if (clock > from) left.push({ client, clock: from, len: clock - from })
    from = Math.max(from, clock + len)
  }
  if (from < end) left.push({ client, clock: from, len: end - from })
  return left
}

function broughtBy(structs: readonly Struct[]): Map<number, { from: number; to: number }> {
  const brought = new Map<number, { from: number; to: number }>()
  for (const { id, length } of structs) {
    const known = brought.get(id.client)
    if (known) known.to = id.clock + length
    else brought.set(id.client, { from: id.clock, to: id.clock + length })
  }
  return brought
}

type Spans = ReadonlyMap<number, { from: number; to: number }>

function spans(update: Uint8Array): Spans {
  const { from, to } = Y.parseUpdateMeta(update)
  return new Map([...from].map(([client, clock]) => [client, { from: clock, to: to.get(client) ?? clock }]))
}

function isWithin(all: readonly Spans[]): (id: Y.ID) => boolean {
  return ({ client, clock }) =>
    all.some(spans => {
      const span = spans.get(client)
      return span !== undefined && span.from <= clock && clock < span.to
    })
}

function removalPieces(ranges: readonly DeletedRange[], maxBytes: number): Uint8Array[] {
  const perPiece = Math.max(1, Math.floor(maxBytes / bytesPerRange))
  const pieces: Uint8Array[] = []
  for (let at = 0; at < ranges.length; at += perPiece) pieces.push(writeUpdate([], ranges.slice(at, at + perPiece)))
  return pieces
}

function contentPieces(structs: readonly Struct[], removed: readonly DeletedRange[], maxBytes: number): Uint8Array[] {
  const removedOf = rangesByClient(removed)
  const pieces: Uint8Array[] = []
  let piece = new Piece()
  for (const struct of inCausalOrder(structs)) {
    const bytes = encodeStruct(struct as Y.Item)
    if (!piece.hasRoom(struct, bytes, maxBytes)) {
      pieces.push(piece.encode())
      piece = new Piece()
    }
    piece.add(struct, bytes, removedOfStruct(struct, removedOf.get(struct.id.client) ?? []))
  }
  if (!piece.isEmpty) pieces.push(piece.encode())
  return pieces
}

/**
 * Returns the removed ranges of a struct. A struct without content is included: the server may meanwhile have it with its
 * content, from changes of this session or from another device, and would then ignore this one as known [D3].
 */
function removedOfStruct(struct: Struct, removed: readonly DeletedRange[]): DeletedRange[] {
  const { id, length } = struct
  let [low, high] = [0, removed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { clock, len } = removed[middle] as DeletedRange
    if (clock + len <= id.clock) low = middle + 1
    else high = middle
  }
  const found: DeletedRange[] = []
  for (let index = low; index < removed.length; index++) {
    const { client, clock, len } = removed[index] as DeletedRange
    if (clock >= id.clock + length) break
    const start = Math.max(clock, id.clock)
    found.push({ client, clock: start, len: Math.min(clock + len, id.clock + length) - start })
  }
  return found
}

class Piece {
  readonly #blocks = new Map<number, Block>()
  readonly #removed: DeletedRange[] = []
  #count = 0
  #bytes = 0

  get isEmpty(): boolean {
    return this.#count === 0
  }

  hasRoom({ id }: Struct, bytes: Uint8Array, maxBytes: number): boolean {
    if (this.isEmpty) return true
    const more = bytes.length + bytesPerRange + (this.#blocks.has(id.client) ? 0 : bytesPerBlock)
    return this.#count < structsPerPiece && this.#bytes + more <= maxBytes
  }

  add({ id }: Struct, bytes: Uint8Array, removed: readonly DeletedRange[]): void {
    const block = this.#blocks.get(id.client)
    if (block) block.structs.push(bytes)
    else this.#blocks.set(id.client, { client: id.client, clock: id.clock, structs: [bytes] })
    this.#removed.push(...removed)
    this.#count++
    this.#bytes += bytes.length + (block ? 0 : bytesPerBlock) + removed.length * bytesPerRange
  }

  encode(): Uint8Array {
    return writeUpdate([...this.#blocks.values()], this.#removed)
  }
}

/** Returns the value of an update that contains a single value; otherwise `undefined`. */
export function onlyValue(update: Uint8Array): unknown {
  const { structs } = Y.decodeUpdate(update)
  const [struct] = structs
  if (structs.length !== 1 || !(struct instanceof Y.Item)) return undefined
  const { content } = struct
  if (content instanceof Y.ContentBinary) return content.content
  return content instanceof Y.ContentAny && content.arr.length === 1 ? content.arr[0] : undefined
}
