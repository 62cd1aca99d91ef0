import * as Y from 'yjs'
import type { ItemsByClient } from './items-by-client.ts'
import type { Place } from './places.ts'

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
export class MergingCost {
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
