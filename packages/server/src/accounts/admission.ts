import type { ErrorCode, FieldValue } from '@kith/shared'
import * as Y from 'yjs'

/**
 * Admission by structure [S2]: what an update would do is read from its structs before anything is applied. Only new
 * values under well-formed keys of known root maps get in; no lists, no nested types, no sub-documents, no formats, and
 * nothing whose predecessors are missing.
 */
export type Admission =
  /** `adds`: it brings content; without, it only removes, and no size counts. */
  | { state: 'admitted'; adds: boolean }
  /** It builds on what this document lacks: drop it, and ask for all. */
  | { state: 'missing' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** What a document takes. The answer is what is wrong, or nothing. */
export interface Rules {
  /** `value` is `undefined` for content that its writer has already removed. */
  check(root: string, key: string, value: FieldValue | undefined): { code: ErrorCode; what: string } | undefined
}

interface Place {
  root: string
  key: string
}

export function admit(doc: Y.Doc, update: Uint8Array, rules: Rules): Admission {
  let decoded: ReturnType<typeof Y.decodeUpdate>
  let blocks: number
  try {
    decoded = Y.decodeUpdate(update)
    blocks = decoding.readVarUint(decoding.createDecoder(update))
  } catch {
    // Whatever the decoder says of hostile bytes, the sender gets one answer.
    return malformed('no Yjs update')
  }
  const ends = new Map<number, number>()
  const endOf = (client: number): number => ends.get(client) ?? Y.getState(doc.store, client)
  const items: Y.Item[] = []
  for (const struct of decoded.structs) {
    const { client, clock } = struct.id
    const end = endOf(client)
    if (struct instanceof Y.Skip || clock > end) return { state: 'missing' }
    if (!(struct instanceof Y.Item)) return malformed('a struct that flat maps never hold')
    // An item without length would be taken in though its client's clock doesn't move.
    if (struct.length < 1 || clock + struct.length > maxClock) return malformed('an impossible length')
    ends.set(client, Math.max(end, clock + struct.length))
    items.push(struct)
  }
  // Of two blocks of one client Yjs takes in the last only.
  if (blocks !== ends.size) return malformed('not one block of structs for each client')
  for (const [client, ranges] of decoded.ds.clients) {
    let last = 0
    for (const { clock, len } of ranges) {
      // Yjs writes them sorted and apart; each costs a walk over what it spans, so overlaps would make it quadratic.
      if (len < 1 || clock < last) return malformed('ranges of removals that overlap')
      last = clock + len
      if (last > endOf(client)) return { state: 'missing' }
    }
  }
  return admitItems(doc, new ItemsByClient(items), decoded.ds, endOf, rules)
}

/** Beyond this the numbers in Yjs' encodings lose their last bits. No client counts so far: a clock goes up by one a set. */
const maxClock = 2 ** 48

function admitItems(
  doc: Y.Doc,
  items: ItemsByClient,
  removals: Removals,
  endOf: (client: number) => number,
  rules: Rules,
): Admission {
  const wrongOrder = checkOrigins(doc, items, endOf)
  if (wrongOrder) return wrongOrder
  const places = new Places(doc, items)
  const merging = new MergingCost(doc, items)
  let adds = false
  for (const item of items.all) {
    const { client, clock } = item.id
    const known = Y.getState(doc.store, client) - clock
    if (known >= item.length) {
      if (!merging.passes(item)) return tooTangled()
      continue
    }
    const place = places.of(item)
    if (!place) return malformed('an item outside the root maps')
    // The rest of an item is taken in right of its known part.
    if (known > 0 && !isSame(places.stored(Y.createID(client, clock + known - 1)), place)) {
      return malformed('an item that goes on elsewhere')
    }
    const values = valuesIn(item, removals)
    if (!values) return malformed('a value that is no string, number, boolean or bytes')
    for (const value of values) {
      const wrong = rules.check(place.root, place.key, value)
      if (wrong) return { state: 'refused', ...wrong }
    }
    if (!merging.add(item, place)) return tooTangled()
    adds ||= values.some(value => value !== undefined)
  }
  return { state: 'admitted', adds }
}

const tooTangled = (): Admission => malformed('more concurrent changes of one key than devices can make')

/** Every item must come after its client's item before it and after its origin, or Yjs never takes it in. */
function checkOrigins(doc: Y.Doc, items: ItemsByClient, endOf: (client: number) => number): Admission | undefined {
  for (const { id, origin, rightOrigin, parent } of items.all) {
    if (rightOrigin !== null || (parent as unknown) instanceof Y.ID) return malformed('an item that is no entry of a map')
    if (origin === null) continue
    if (origin.client === id.client && origin.clock >= id.clock) return malformed('an item before its origin')
    if (origin.clock >= endOf(origin.client)) return { state: 'missing' }
  }
  const reached = new Map<number, number>()
  const waiting: number[] = []
  for (const first of items.clients) {
    waiting.push(first)
    for (let client = waiting.at(-1); client !== undefined; client = waiting.at(-1)) {
      const list = items.of(client)
      let index = reached.get(client) ?? 0
      let needed: number | undefined
      for (; index < list.length && needed === undefined; index++) {
        const { origin } = list[index] as Y.Item
        if (origin && !isReached(doc, items, reached, origin)) needed = origin.client
      }
      if (needed === undefined) {
        reached.set(client, index)
        waiting.pop()
      } else {
        reached.set(client, index - 1)
        if (needed === client) return malformed('items that wait for each other')
        // A client that already waits for this one, directly or not, waits for ever.
        if (waiting.length > items.clients.length || waiting.includes(needed)) {
          return malformed('items that wait for each other')
        }
        waiting.push(needed)
      }
    }
  }
  return undefined
}

function isReached(doc: Y.Doc, items: ItemsByClient, reached: ReadonlyMap<number, number>, id: Y.ID): boolean {
  if (id.clock < Y.getState(doc.store, id.client)) return true
  const next = items.of(id.client)[reached.get(id.client) ?? 0]
  return next === undefined || id.clock < next.id.clock
}

function malformed(what: string): Admission {
  return { state: 'refused', code: 'malformed', what }
}

function valueIn(content: Y.Item['content']): { value: FieldValue | undefined } | 'none' {
  if (content instanceof Y.ContentDeleted) return { value: undefined }
  if (content instanceof Y.ContentBinary) return { value: content.content }
  if (!(content instanceof Y.ContentAny) || content.arr.length !== 1) return 'none'
  const value: unknown = content.arr[0]
  const isPrimitive = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isPrimitive || value instanceof Uint8Array ? { value } : 'none'
}

/**
 * Where items stand. An item that replaces another names that one (its origin) instead of a root and key, so the chain is
 * followed to an item that names them, in the update or in the document.
 */
class Places {
  #doc: Y.Doc
  #itemsByClient = new Map<number, Y.Item[]>()
  #known = new Map<Y.Item, Place | undefined>()

  constructor(doc: Y.Doc, items: readonly Y.Item[]) {
    this.#doc = doc
    for (const item of items) {
      const list = this.#itemsByClient.get(item.id.client)
      if (list) list.push(item)
      else this.#itemsByClient.set(item.id.client, [item])
    }
  }

  of(item: Y.Item): Place | undefined {
    const path: Y.Item[] = []
    let place: Place | undefined
    for (let at: Y.Item | undefined = item; at; ) {
      if (this.#known.has(at)) {
        place = this.#known.get(at)
        break
      }
      path.push(at)
      this.#known.set(at, undefined) // A chain that bites its tail stands nowhere.
      if (at.origin === null) {
        place = this.#named(at)
        break
      }
      const origin: Y.ID = at.origin
      if (origin.clock < Y.getState(this.#doc.store, origin.client)) {
        place = this.#stored(origin)
        break
      }
      at = this.#inUpdate(origin)
    }
    for (const passed of path) this.#known.set(passed, place)
    return place
  }

  #named(item: Y.Item): Place | undefined {
    const parent: unknown = item.parent
    return typeof parent === 'string' && item.parentSub !== null ? { root: parent, key: item.parentSub } : undefined
  }

  #stored(id: Y.ID): Place | undefined {
    const item: unknown = Y.getItem(this.#doc.store, id)
    if (!(item instanceof Y.Item) || item.parentSub === null) return undefined
    for (const [root, type] of this.#doc.share) if (type === item.parent) return { root, key: item.parentSub }
    return undefined
  }

  #inUpdate({ client, clock }: Y.ID): Y.Item | undefined {
    const items = this.#itemsByClient.get(client) ?? []
    let low = 0
    let high = items.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const item = items[middle] as Y.Item
      if (clock < item.id.clock) high = middle - 1
      else if (clock >= item.id.clock + item.length) low = middle + 1
      else return item
    }
    return undefined
  }
}
