import * as Y from 'yjs'
import type { ItemsByClient } from './items-by-client.ts'
import { type Admission, malformed } from './verdict.ts'

/** Every item must come after its client's previous item and after its origin. Otherwise Yjs never integrates it. */
export function checkOrigins(
  doc: Y.Doc,
  items: ItemsByClient,
  endOf: (client: number) => number,
): Admission | undefined {
  for (const { id, origin, rightOrigin, parent } of items.all) {
    if (rightOrigin !== null || (parent as unknown) instanceof Y.ID)
      return malformed('an item that is no entry of a map')
    if (origin === null) continue
    if (origin.client === id.client && origin.clock >= id.clock) return malformed('an item before its origin')
    if (origin.clock >= endOf(origin.client)) return { state: 'missing' }
  }
  return areReachable(doc, items) ? undefined : malformed('items that wait for each other')
}

/** The clock up to which a client's items must be reached, for another client's item that depends on them. */
interface Goal {
  client: number
  clock: number
}

/**
 * Walks each client's items in their order, and before each item goes to its origin. Devices that take turns do not form a
 * cycle.
 */
function areReachable(doc: Y.Doc, items: ItemsByClient): boolean {
  const reached = new Map<number, number>()
  const goals: Goal[] = []
  const onTheWay = new Set<number>()
  const begin = (goal: Goal): void => {
    goals.push(goal)
    onTheWay.add(goal.client)
  }
  for (const first of items.clients) {
    begin({ client: first, clock: Number.POSITIVE_INFINITY })
    for (let goal = goals.at(-1); goal; goal = goals.at(-1)) {
      const missing = walk(doc, items, reached, goal)
      if (!missing) {
        goals.pop()
        onTheWay.delete(goal.client)
      } else if (onTheWay.has(missing.client)) return false
      else begin(missing)
    }
  }
  return true
}

/** Continues towards a goal. Returns the origin that must be reached first, or `undefined` at the goal. */
function walk(
  doc: Y.Doc,
  items: ItemsByClient,
  reached: Map<number, number>,
  { client, clock }: Goal,
): Y.ID | undefined {
  const list = items.of(client)
  for (let index = reached.get(client) ?? 0; index < list.length; index++) {
    const { id, origin } = list[index] as Y.Item
    if (id.clock > clock) break
    if (origin && origin.client !== client && !isReached(doc, items, reached, origin)) return origin
    reached.set(client, index + 1)
  }
  return undefined
}

function isReached(doc: Y.Doc, items: ItemsByClient, reached: ReadonlyMap<number, number>, id: Y.ID): boolean {
  if (id.clock < Y.getState(doc.store, id.client)) return true
  const next = items.of(id.client)[reached.get(id.client) ?? 0]
  return next === undefined || id.clock < next.id.clock
}
