import type * as Y from 'yjs'

/** An update's items by client, in the order of the client's clock. */
export class ItemsByClient {
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
