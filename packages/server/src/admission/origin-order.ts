import * as Y from 'yjs'
import type { ItemsByClient } from './items-by-client.ts'
import { type Admission, malformed } from './verdict.ts'

/** Every item must come after its client's item before it and after its origin, or Yjs never takes it in. */
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
