import * as Y from 'yjs'
import { inCausalOrder, type Struct } from './causal-order.ts'
import { withoutReplaced } from './replaced.ts'
import { type Block, type DeletedRange, encodeStruct, rangesByClient, writeUpdate } from './update-writer.ts'
import { wideningApart } from './widening.ts'

/** An update in parts, each of which the server can take for itself, in this order. */
export interface Pieces {
  /** What is removed of that which the update does not bring itself: nothing of it builds on anything else here. */
  removals: Uint8Array[]
  /** The same structs as in the update, so that every other device's change to them goes on to count [D6]. */
  content: Uint8Array[]
  /** Removals that let others see more: they go last. */
  widening: Uint8Array[]
}

/** As many structs as one piece has at most: what the server spends on one of them is bounded, too. */
const structsPerPiece = 4_000
/** A deleted range takes at most two numbers of ten bytes. */
const bytesPerRange = 20
/** The counts around the structs of one client. */
const bytesPerBlock = 24

/** An update as it is, where it is small enough; else in pieces. */
export function inPieces(update: Uint8Array, maxBytes: number, doc: Y.Doc): Uint8Array[] {
  if (update.length <= maxBytes) return [update]
  const { removals, content, widening } = piecesOf(update, maxBytes, doc, [])
  return [...removals, ...content, ...widening]
}

/**
 * A piece is larger than `maxBytes` only when it is a single struct. `doc`: a document that holds the update, by which the
 * deletions of replaced entries are left out of the removals. `showsValues`: the document shows its values to others, so only
 * entries that were made again are left out (`ReplacingOptions`). `unsent`: updates that are sent later.
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

/** What an update removes of others, without what the unsent updates remove themselves, and without what lets others see more. */
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
 * What is removed of a struct. A struct without content is named, too: the server may hold it with its content by now, as from
 * changes of this session or from another device, and would take this one for known [D3].
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

/** Of an update that brings one value alone: the bytes of that value. */
export function onlyValue(update: Uint8Array): unknown {
  const { structs } = Y.decodeUpdate(update)
  const [struct] = structs
  if (structs.length !== 1 || !(struct instanceof Y.Item)) return undefined
  const { content } = struct
  if (content instanceof Y.ContentBinary) return content.content
  return content instanceof Y.ContentAny && content.arr.length === 1 ? content.arr[0] : undefined
}
