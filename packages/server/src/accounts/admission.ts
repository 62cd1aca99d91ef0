import type { ErrorCode, FieldValue } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'

/**
 * Admission by structure [S2]: what an update would do is read from its structs before anything is applied. Only new
 * values under well-formed keys of known root maps get in; no lists, no nested types, no sub-documents, no formats, and
 * nothing whose predecessors are missing.
 */
export type Admission =
  /**
   * `content`: it brings values, which the limits of size count; `history`: only names whose values are gone already,
   * which stay in a document all the same; `nothing`: it only removes, and no size counts.
   */
  | { state: 'admitted'; adds: 'content' | 'history' | 'nothing' }
  /** It builds on what this document lacks: drop it, and ask for all. */
  | { state: 'missing' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** What a document takes. The answer is what is wrong, or nothing. */
export interface Rules {
  /** `value` is `undefined` for content that its writer has already removed. */
  check(root: string, key: string, value: FieldValue | undefined): { code: ErrorCode; what: string } | undefined
}

type Removals = ReturnType<typeof Y.decodeUpdate>['ds']

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
  let adds: 'content' | 'history' | 'nothing' = 'nothing'
  for (const item of items.all) {
    const { client, clock } = item.id
    const known = Y.getState(doc.store, client) - clock
    if (known >= item.length) {
      // Yjs makes a root for each name that it reads, also where it takes nothing in.
      if (typeof item.parent === 'string' && !doc.share.has(item.parent)) return malformed('an unknown root')
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
    if (values.some(value => value !== undefined)) adds = 'content'
    else if (adds === 'nothing') adds = 'history'
  }
  return { state: 'admitted', adds }
}

const tooTangled = (): Admission => malformed('more concurrent changes of one key than devices can make')

/** Every item must come after its client's item before it and after its origin, or Yjs never takes it in. */
function checkOrigins(doc: Y.Doc, items: ItemsByClient, endOf: (client: number) => number): Admission | undefined {
  for (const { id, origin, rightOrigin, parent } of items.all) {
    if (rightOrigin !== null || (parent as unknown) instanceof Y.ID)
      return malformed('an item that is no entry of a map')
    if (origin === null) continue
    if (origin.client === id.client && origin.clock >= id.clock) return malformed('an item before its origin')
    if (origin.clock >= endOf(origin.client)) return { state: 'missing' }
  }
  const reached = new Map<number, number>()
  const waiting: number[] = []
  const isWaiting = new Set<number>()
  for (const first of items.clients) {
    waiting.push(first)
    isWaiting.add(first)
    for (let client = waiting.at(-1); client !== undefined; client = waiting.at(-1)) {
      const list = items.of(client)
      let index = reached.get(client) ?? 0
      let needed: number | undefined
      for (; index < list.length && needed === undefined; index++) {
        const { origin } = list[index] as Y.Item
        if (origin && origin.client !== client && !isReached(doc, items, reached, origin)) needed = origin.client
      }
      if (needed === undefined) {
        reached.set(client, index)
        waiting.pop()
        isWaiting.delete(client)
      } else {
        reached.set(client, index - 1)
        if (isWaiting.has(needed)) return malformed('items that wait for each other')
        waiting.push(needed)
        isWaiting.add(needed)
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

/** The values that an item brings, `undefined` for what its writer has removed; nothing for what is no value. */
function valuesIn(item: Y.Item, removals: Removals): readonly (FieldValue | undefined)[] | undefined {
  const { content } = item
  if (content instanceof Y.ContentDeleted) return [undefined]
  if (content instanceof Y.ContentBinary) return [content.content]
  if (!(content instanceof Y.ContentAny)) return undefined
  // Values that were overwritten in a document without garbage collection come merged, and with their removal.
  if (content.arr.length > 1 && !isRemoved(item, removals)) return undefined
  return content.arr.every(isValue) ? content.arr : undefined
}

function isValue(value: unknown): value is FieldValue {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Uint8Array
}

function isRemoved({ id, length }: Y.Item, removals: Removals): boolean {
  const ranges = removals.clients.get(id.client) ?? []
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const { clock, len } = ranges[middle] as { clock: number; len: number }
    if (id.clock < clock) high = middle - 1
    else if (id.clock >= clock + len) low = middle + 1
    else return id.clock + length <= clock + len
  }
  return false
}

/** An update's items, each client's in the order of its clock. */
class ItemsByClient {
  readonly all: readonly Y.Item[]
  #byClient = new Map<number, Y.Item[]>()

  constructor(items: readonly Y.Item[]) {
    this.all = items
    for (const item of items) {
      const list = this.#byClient.get(item.id.client)
      if (list) list.push(item)
      else this.#byClient.set(item.id.client, [item])
    }
  }

  get clients(): number[] {
    return [...this.#byClient.keys()]
  }

  of(client: number): readonly Y.Item[] {
    return this.#byClient.get(client) ?? []
  }

  find({ client, clock }: Y.ID): Y.Item | undefined {
    const items = this.of(client)
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

/** As many steps as an update may cost beyond what is usual, and as long a history as concurrent changes may meet. */
const maxSteps = 2 ** 18
const usualHistory = 64
const maxHistory = 1024
/** Each origin within a run of removed items splits that run, and moves all later ones. */
const maxSplits = 1024

/**
 * Bounds what it costs to merge an update. Yjs walks along a key's history for each item that doesn't follow the key's
 * last one: devices that change a key at the same time make a few of those; a hostile one could make a million.
 */
class MergingCost {
  #doc: Y.Doc
  #items: ItemsByClient
  #followed = new Set<unknown>()
  #keys = new Map<string, { stored: number; items: number; branches: number }>()
  #steps = 0
  #splits = 0

  constructor(doc: Y.Doc, items: ItemsByClient) {
    this.#doc = doc
    this.#items = items
  }

  /** What the document has already; false: it would cost too much all the same. */
  passes({ origin }: Y.Item): boolean {
    return origin === null || this.#endsRun(origin) || ++this.#splits <= maxSplits
  }

  add(item: Y.Item, place: Place): boolean {
    const name = `${place.root}/${place.key}`
    const last = this.#doc.getMap(place.root)._map.get(place.key)
    const key = this.#keys.get(name) ?? { stored: 0, items: 0, branches: 0 }
    this.#keys.set(name, key)
    const before = costOf(key)
    key.items++
    if (!this.#follows(item, name, last)) {
      key.branches++
      if (key.stored === 0) key.stored = historyOf(last)
      if (key.stored > maxHistory) return false
    }
    this.#steps += costOf(key) - before
    return this.#steps <= maxSteps && this.passes(item)
  }

  /** Whether the item comes right after the last one of its key. */
  #follows({ origin }: Y.Item, name: string, last: Y.Item | undefined): boolean {
    if (origin === null) return last === undefined && this.#isFirst(name)
    const inUpdate = this.#items.find(origin)
    if (inUpdate && origin.clock >= Y.getState(this.#doc.store, origin.client)) {
      return origin.clock === inUpdate.id.clock + inUpdate.length - 1 && this.#isFirst(inUpdate)
    }
    return last !== undefined && Y.compareIDs(last.lastId, origin) && this.#isFirst(last)
  }

  #isFirst(what: unknown): boolean {
    if (this.#followed.has(what)) return false
    this.#followed.add(what)
    return true
  }

  #endsRun(id: Y.ID): boolean {
    if (id.clock >= Y.getState(this.#doc.store, id.client)) return true
    return Y.compareIDs(Y.getItem(this.#doc.store, id).lastId, id)
  }
}

function costOf({ stored, items, branches }: { stored: number; items: number; branches: number }): number {
  return branches * Math.max(0, stored + items - usualHistory)
}

function historyOf(last: Y.Item | undefined): number {
  let count = 0
  for (let item = last ?? null; item !== null && count <= maxHistory; item = item.left) count++
  return count
}

function isSame(a: Place | undefined, b: Place): boolean {
  return a?.root === b.root && a.key === b.key
}

/**
 * Where items stand. An item that replaces another names that one (its origin) instead of a root and key, so the chain is
 * followed to an item that names them, in the update or in the document.
 */
class Places {
  #doc: Y.Doc
  #items: ItemsByClient
  #known = new Map<Y.Item, Place | undefined>()

  constructor(doc: Y.Doc, items: ItemsByClient) {
    this.#doc = doc
    this.#items = items
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
      if (at.origin === null) {
        place = this.#named(at)
        break
      }
      const origin: Y.ID = at.origin
      if (origin.clock < Y.getState(this.#doc.store, origin.client)) {
        place = this.stored(origin)
        break
      }
      at = this.#items.find(origin)
    }
    for (const passed of path) this.#known.set(passed, place)
    return place
  }

  #named(item: Y.Item): Place | undefined {
    const parent: unknown = item.parent
    return typeof parent === 'string' && item.parentSub !== null ? { root: parent, key: item.parentSub } : undefined
  }

  /** Where an item of the document stands. */
  stored(id: Y.ID): Place | undefined {
    const item: unknown = Y.getItem(this.#doc.store, id)
    if (!(item instanceof Y.Item) || item.parentSub === null) return undefined
    for (const [root, type] of this.#doc.share) if (type === item.parent) return { root, key: item.parentSub }
    return undefined
  }
}
