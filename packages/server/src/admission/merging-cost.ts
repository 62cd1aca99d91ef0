import * as Y from 'yjs'
import type { ItemsByClient } from './items-by-client.ts'
import { KeyHistory } from './key-history.ts'
import type { Place, Places } from './places.ts'

/** The number of steps in one slice: about 6 ms. A step of Yjs' scan for conflicts takes some 100 ns. */
export const stepsPerSlice: number = 2 ** 16

/**
 * The bound on the cost of merging. A device writes after its own earlier items. So in the history of a key, the items of one
 * device pass each item of other devices once, however often the devices met: devices that were apart take at most as many
 * steps as there are devices and items. Hostile updates take the square of the items. The bound also allows ten thousand
 * devices that each wrote one key without having seen anything, as created by a page that stores no data and writes on every
 * load.
 */
const devicesApart = 64
const stepsForAny = 2 ** 24

/** Moving this many pointers, for example when a struct is inserted in the middle of an array, costs as much as one step. */
const movesPerStep = 64

/**
 * The cost of merging an update. It is determined by simulating, with numbers only, what Yjs will do: Yjs integrates the items,
 * each after its origin and the highest client first. For each item that does not follow the last one of its key, it walks
 * along the key's history. Devices that change keys concurrently, for years, need a few steps for each item. A hostile update
 * could need a million.
 */
export class MergingCost {
  readonly #doc: Y.Doc
  readonly #items: ItemsByClient
  readonly #places: Places
  readonly #histories = new Map<string, KeyHistory>()
  readonly #reached = new Map<number, number>()
  readonly #structs = new Map<number, number>()
  readonly #work: Iterator<void>
  readonly #slices: Y.Item[][] = [[]]
  #steps = 0
  #stepsBeforeSlice = 0
  /** The number of stored items of the keys that were examined. */
  #looked = 0

  constructor(doc: Y.Doc, items: ItemsByClient, places: Places) {
    this.#doc = doc
    this.#items = items
    this.#places = places
    this.#work = this.#merge()
  }

  /** The number of items in the update. */
  get items(): number {
    return this.#items.all.length
  }

  get steps(): number {
    return this.#steps
  }

  /** The number of steps that an update with these items may take. */
  get mostSteps(): number {
    return stepsForAny + devicesApart * (this.#items.all.length + this.#looked)
  }

  /** Whether the cost of merging is within the bound, as far as it has been determined. */
  get isBounded(): boolean {
    return this.#steps <= this.mostSteps
  }

  /** The items in an order in which they can be merged, in slices that take about as long as one {@link advance}. */
  get slices(): readonly (readonly Y.Item[])[] {
    return this.#slices
  }

  /** Determines the cost of some more items. Returns `true` when it is done, or when the bound is exceeded. Takes some ms. */
  advance(): boolean {
    return this.#work.next().done === true
  }

  *#merge(): Generator<void> {
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
        } else {
          this.#take(item)
          this.#slices.at(-1)?.push(item)
        }
        if (!this.isBounded) return
        if (this.#steps - this.#stepsBeforeSlice < stepsPerSlice) continue
        this.#stepsBeforeSlice = this.#steps
        this.#slices.push([])
        yield
      }
    }
  }

  /** Returns the client whose item must be integrated first. */
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
    const history = this.#historyOf(place)
    const looked = history.storedCount
    this.#steps += history.add(span, origin, this.mostSteps - this.#steps)
    this.#looked += history.storedCount - looked
    this.#reached.set(client, clock + item.length)
    this.#structs.set(client, this.#structsOf(client) + 1)
  }

  /** Yjs splits a run of removed items at each origin within it, and moves all later structs of that client. */
  #splitAt(origin: Y.ID): void {
    const place = this.#placeOf(origin)
    if (!place || !this.#historyOf(place).splitAfter(origin, this.mostSteps - this.#steps)) return
    const structs = this.#structsOf(origin.client)
    this.#structs.set(origin.client, structs + 1)
    this.#steps += 1 + Math.ceil(structs / movesPerStep)
  }

  #placeOf(id: Y.ID): Place | undefined {
    if (id.clock < Y.getState(this.#doc.store, id.client)) {
      // Most origins are at the end of their struct. Then there is nothing to split or to look up.
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
