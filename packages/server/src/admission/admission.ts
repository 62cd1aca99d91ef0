import { type ErrorCode, type FieldValue, isNarrowing } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import { atOnce } from './at-once.ts'
import { type Removals, valuesIn } from './item-values.ts'
import { ItemsByClient } from './items-by-client.ts'
import { MergingCost } from './merging-cost.ts'
import { checkOrigins } from './origin-order.ts'
import { isSamePlace, type Place, Places } from './places.ts'
import { type Additions, type Admission, malformed } from './verdict.ts'

/** Content rules of one document. Returns the violation, or `undefined`. */
export interface Rules {
  /** `value` is `undefined` for content that its writer has already removed. */
  check(root: string, key: string, value: FieldValue | undefined): { code: ErrorCode; what: string } | undefined
}

/** {@link admitting} without yielding. */
export function admit(doc: Y.Doc, update: Uint8Array, rules: Rules): Admission {
  return atOnce(admitting(doc, update, rules))
}

/**
 * Admission by structure [S2]: the effects of an update are read from its structs before anything is applied. It may contain
 * only new values under well-formed keys of known root maps: no lists, nested types, sub-documents or formats, and nothing
 * whose predecessors are missing. Yields so that other work gets its turn. The document must not change meanwhile.
 */
export function* admitting(doc: Y.Doc, update: Uint8Array, rules: Rules): Generator<void, Admission> {
  let decoded: ReturnType<typeof Y.decodeUpdate>
  let blocks: number
  try {
    decoded = Y.decodeUpdate(update)
    blocks = decoding.readVarUint(decoding.createDecoder(update))
  } catch {
    // Whatever error the decoder reports for hostile bytes, the sender gets the same answer.
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
    // An item without length would be integrated although its client's clock does not move.
    if (struct.length < 1 || clock + struct.length > maxClock) return malformed('an impossible length')
    ends.set(client, Math.max(end, clock + struct.length))
    items.push(struct)
  }
  // Of two blocks of one client, Yjs integrates only the last.
  if (blocks !== ends.size) return malformed('not one block of structs for each client')
  for (const [client, ranges] of decoded.ds.clients) {
    let last = 0
    for (const { clock, len } of ranges) {
      // Yjs writes them sorted and separate. Each costs a walk over its range, so overlaps would make the cost quadratic.
      if (len < 1 || clock < last) return malformed('ranges of removals that overlap')
      last = clock + len
      if (last > endOf(client)) return { state: 'missing' }
    }
  }
  return yield* admitItems(doc, new ItemsByClient(items), decoded.ds, endOf, rules)
}

/** Above this, the numbers in Yjs' encodings lose their last bits. No client reaches it: a clock increases by one per set. */
const maxClock = 2 ** 48

function* admitItems(
  doc: Y.Doc,
  items: ItemsByClient,
  removals: Removals,
  endOf: (client: number) => number,
  rules: Rules,
): Generator<void, Admission> {
  const wrongOrder = checkOrigins(doc, items, endOf)
  if (wrongOrder) return wrongOrder
  const places = new Places(doc, items)
  let adds: Additions = 'nothing'
  for (const item of items.all) {
    const { client, clock } = item.id
    const known = Y.getState(doc.store, client) - clock
    if (known >= item.length) {
      // Yjs creates a root for each name that it reads, even if it integrates nothing there.
      if (typeof item.parent === 'string' && !doc.share.has(item.parent)) return malformed('an unknown root')
      continue
    }
    const place = places.of(item)
    if (!place) return malformed('an item outside the root maps')
    // The rest of an item is integrated to the right of its known part.
    if (known > 0 && !isSamePlace(places.stored(Y.createID(client, clock + known - 1)), place)) {
      return malformed('an item that goes on elsewhere')
    }
    const values = valuesIn(item, removals)
    if (!values) return malformed('a value that is no string, number, boolean or bytes')
    for (const value of values) {
      const wrong = rules.check(place.root, place.key, value)
      if (wrong) return { state: 'refused', ...wrong }
    }
    adds = largerOf(adds, additionOf(place, values))
  }
  const merging = new MergingCost(doc, items, places)
  while (!merging.advance()) yield
  if (!merging.isBounded) return malformed('more to merge than devices can make')
  return { state: 'admitted', adds, merging, removals }
}

function additionOf(place: Place, values: readonly (FieldValue | undefined)[]): Additions {
  if (isNarrowing({ ...place, value: true })) return 'narrowing'
  return values.some(value => value !== undefined) ? 'content' : 'history'
}

const additions: readonly Additions[] = ['nothing', 'narrowing', 'history', 'content']

function largerOf(a: Additions, b: Additions): Additions {
  return additions.indexOf(a) > additions.indexOf(b) ? a : b
}
