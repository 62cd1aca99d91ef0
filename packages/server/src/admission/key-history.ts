import * as Y from 'yjs'

/** Consecutive items of one client and key, which Yjs keeps in one struct. */
export interface Span {
  client: number
  clock: number
  length: number
}

interface Node extends Span {
  origin: Y.ID | null
  left: Node | undefined
  right: Node | undefined
}

/** This many stored items can be walked over at the cost of one step of the scan for conflicts. */
const walkShare = 8

/**
 * All items of one key in the order that Yjs gives them. The last one is the one that counts. The stored items are read only
 * when an item is added that does not simply follow the last.
 */
export class KeyHistory {
  readonly #stored: Y.Item | undefined
  /** The nodes of each client, by clock. Created on the first search, because most keys need none. */
  #byClient: Map<number, Node[]> | undefined
  #first: Node | undefined
  #last: Node | undefined
  #count = 0
  #storedCount = 0
  #isWhole: boolean

  constructor(stored: Y.Item | undefined) {
    this.#stored = stored
    this.#isWhole = stored === undefined
  }

  /** The number of stored items that were read. */
  get storedCount(): number {
    return this.#storedCount
  }

  /** Adds an item where Yjs would. Returns the number of steps. Stops when there are more than `most`. */
  add(span: Span, origin: Y.ID | null, most: number): number {
    const node: Node = { ...span, origin, left: undefined, right: undefined }
    if (this.#followsLast(origin)) {
      this.#insert(node, this.#last)
      return 0
    }
    let steps = this.#makeWhole(most)
    if (steps > most) return steps
    const left = origin ? this.#find(origin) : undefined
    // Without an origin, Yjs searches for the key's first item, starting from the last, and again if the item is placed at the
    // front.
    if (!left) steps += Math.ceil((2 * this.#count) / walkShare)
    const [place, scanned] = this.#scan(node, left, most)
    this.#insert(node, place)
    return steps + scanned
  }

  /** Returns `true` if a run of items continued after this one. */
  splitAfter(id: Y.ID, most: number): boolean {
    if (this.#makeWhole(most) > most) return true
    const node = this.#find(id)
    const length = node ? id.clock + 1 - node.clock : 0
    if (!node || length === node.length) return false
    const rest: Node = {
      client: node.client,
      clock: node.clock + length,
      length: node.length - length,
      origin: Y.createID(id.client, id.clock),
      left: undefined,
      right: undefined,
    }
    node.length = length
    this.#insert(rest, node)
    return true
  }

  #followsLast(origin: Y.ID | null): boolean {
    if (this.#last) return origin !== null && isLastOf(this.#last, origin)
    if (!this.#stored) return origin === null
    return origin !== null && Y.compareIDs(this.#stored.lastId, origin)
  }

  /** Yjs' conflict resolution (`Item.integrate`): returns the place of the item, and how many other items that examines. */
  #scan(item: Node, origin: Node | undefined, most: number): [left: Node | undefined, steps: number] {
    let left = origin
    let steps = 0
    const [before, conflicting] = [new Set<Node>(), new Set<Node>()]
    for (let other = origin ? origin.right : this.#first; other && steps <= most; other = other.right) {
      steps++
      before.add(other)
      conflicting.add(other)
      if (Y.compareIDs(item.origin, other.origin)) {
        if (other.client >= item.client) break
        left = other
        conflicting.clear()
      } else {
        const its = other.origin && this.#find(other.origin)
        if (!its || !before.has(its)) break
        if (!conflicting.has(its)) {
          left = other
          conflicting.clear()
        }
      }
    }
    return [left, steps]
  }

  #insert(node: Node, left: Node | undefined): void {
    const right = left ? left.right : this.#first
    node.left = left
    node.right = right
    if (left) left.right = node
    else this.#first = node
    if (right) right.left = node
    else this.#last = node
    this.#count++
    this.#register(node)
  }

  #register(node: Node): void {
    const nodes = this.#byClient?.get(node.client)
    if (nodes) nodes.splice(this.#indexAfter(nodes, node.clock), 0, node)
    else this.#byClient?.set(node.client, [node])
  }

  #nodesOf(client: number): readonly Node[] {
    if (!this.#byClient) {
      this.#byClient = new Map()
      for (let node = this.#first; node; node = node.right) this.#register(node)
    }
    return this.#byClient.get(client) ?? []
  }

  /** Places the stored items in front of the new ones. Returns the number of steps. */
  #makeWhole(most: number): number {
    if (this.#isWhole) return 0
    this.#isWhole = true
    const firstNew = this.#first
    let steps = 0
    let right = firstNew
    for (let item: Y.Item | null = this.#stored ?? null; item && steps <= most * walkShare; item = item.left) {
      const { id, length, origin } = item
      const node: Node = { client: id.client, clock: id.clock, length, origin, left: undefined, right }
      if (right) right.left = node
      else this.#last = node
      this.#count++
      this.#register(node)
      right = node
      steps++
    }
    this.#first = right
    this.#storedCount = steps
    return Math.ceil(steps / walkShare)
  }

  #find({ client, clock }: Y.ID): Node | undefined {
    const nodes = this.#nodesOf(client)
    const node = nodes[this.#indexAfter(nodes, clock) - 1]
    return node && clock < node.clock + node.length ? node : undefined
  }

  #indexAfter(nodes: readonly Node[], clock: number): number {
    let [low, high] = [0, nodes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((nodes[middle] as Node).clock <= clock) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isLastOf({ client, clock, length }: Node, id: Y.ID): boolean {
  return id.client === client && id.clock === clock + length - 1
}
