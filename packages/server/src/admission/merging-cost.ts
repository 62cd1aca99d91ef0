import * as Y from 'yjs'
import type { ItemsByClient } from './items-by-client.ts'
import { KeyHistory } from './key-history.ts'
import type { Place, Places } from './places.ts'

/**
 * As many steps as merging one update may take: so many for each item besides those for any update, up to the most. A step
 * of Yjs' scan for conflicts takes some 100 ns. A device that was away while others took turns at a key for years makes some
 * thousand steps for it.
 */
const stepsPerUpdate = 2 ** 14
const stepsPerItem = 2 ** 12
const mostSteps = 2 ** 18

/** So many moved pointers, as when an array of structs gets one more in its middle, cost as much as one step. */
const movesPerStep = 64

/**
 * What it costs to merge an update, found by doing in numbers what Yjs will do: it takes the items in, each after its origin
 * and the highest client first, and walks along a key's history for each that doesn't follow the last one of its key. Devices
 * that change keys at the same time, for years, make a few steps for each item; a hostile update could make a million.
 */
export class MergingCost {
  readonly #doc: Y.Doc
  readonly #items: ItemsByClient
  readonly #places: Places
  readonly #histories = new Map<string, KeyHistory>()
  readonly #reached = new Map<number, number>()
  readonly #structs = new Map<number, number>()
  /** How many steps an update of these items may take. */
  readonly mostSteps: number
  #steps = 0

  constructor(doc: Y.Doc, items: ItemsByClient, places: Places) {
    this.#doc = doc
    this.#items = items
    this.#places = places
    // One step for each item is taken in any case: a whole roster has more items than the most that an update may cost.
    const count = items.all.length
    this.mostSteps = count + Math.min(mostSteps, stepsPerUpdate + stepsPerItem * count)
  }

  get steps(): number {
    return this.#steps
  }

  /** Whether merging stays within what an update may cost. Finding out takes hardly more steps than that. */
  isBounded(): boolean {
    const queues = new Map(this.#items.clients.map(client => [client, { items: this.#items.of(client), next: 0 }]))
    for (const client of [...queues.keys()].sort((a, b) => b - a)) {
      const waiting: Y.Item[] = []
      const queue = queues.get(client)
      for (;;) {
        const item = waiting.pop() ?? queue?.items[queue.next++]
        if (!item) break
        const before = this.#missing(item)
        const other = before === undefined ? undefined : queues.get(before)
        const origin = other?.items[other.next]
        if (other && origin) {
          other.next++
          waiting.push(item, origin)
        } else this.#take(item)
        if (this.#steps > this.mostSteps) return false
      }
    }
    return true
  }

  /** The client whose item is to be taken in first. */
  #missing({ id, origin }: Y.Item): number | undefined {
    if (!origin || origin.client === id.client || origin.clock < this.#reachedBy(origin.client)) return undefined
    return origin.client
  }

  #take(item: Y.Item): void {
    this.#steps++
    const { client, clock } = item.id
    const known = this.#reachedBy(client) - clock
    if (item.origin) this.#splitAt(item.origin)
    if (known >= item.length) return
    const place = this.#places.of(item)
    if (!place) return
    const origin = known > 0 ? Y.createID(client, clock + known - 1) : item.origin
    if (known > 0 && origin) this.#splitAt(origin)
    const passed = Math.max(0, known)
    const span = { client, clock: clock + passed, length: item.length - passed }
    this.#steps += this.#historyOf(place).add(span, origin, this.mostSteps - this.#steps)
    this.#reached.set(client, clock + item.length)
    this.#structs.set(client, this.#structsOf(client) + 1)
  }

  /** Yjs splits a run of removed items at each origin within it, and moves all structs of that client behind it. */
  #splitAt(origin: Y.ID): void {
    const place = this.#placeOf(origin)
    if (!place || !this.#historyOf(place).splitAfter(origin, this.mostSteps - this.#steps)) return
    const structs = this.#structsOf(origin.client)
    this.#structs.set(origin.client, structs + 1)
    this.#steps += 1 + Math.ceil(structs / movesPerStep)
  }

  #placeOf(id: Y.ID): Place | undefined {
    if (id.clock < Y.getState(this.#doc.store, id.client)) {
      // Most origins end their struct: then there is nothing to split, nor to look up.
      const stored = Y.getItem(this.#doc.store, id)
      const isWhole = Y.compareIDs(stored.lastId, id)
      return isWhole ? undefined : this.#places.stored(id)
    }
    const item = this.#items.find(id)
    return item && !Y.compareIDs(item.lastId, id) ? this.#places.of(item) : undefined
  }

  #historyOf(place: Place): KeyHistory {
    const name = `${place.root}/${place.key}`
    const known = this.#histories.get(name)
    if (known) return known
    const last = this.#doc.getMap(place.root)._map.get(place.key)
    const history = new KeyHistory(last)
    this.#histories.set(name, history)
    return history
  }

  #reachedBy(client: number): number {
    return this.#reached.get(client) ?? Y.getState(this.#doc.store, client)
  }

  #structsOf(client: number): number {
    return this.#structs.get(client) ?? this.#doc.store.clients.get(client)?.length ?? 0
  }
}
