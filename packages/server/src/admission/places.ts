import * as Y from 'yjs'
import type { ItemsByClient } from './items-by-client.ts'

/** A key of a root map. */
export interface Place {
  root: string
  key: string
}

/**
 * The places of items. An item that replaces another one contains the id of that item (its origin) instead of a root and key.
 * So the chain is followed to an item with a root and key, in the update or in the document.
 */
export class Places {
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

  /** Returns the place of an item of the document. */
  stored(id: Y.ID): Place | undefined {
    const item: unknown = Y.getItem(this.#doc.store, id)
    if (!(item instanceof Y.Item) || item.parentSub === null) return undefined
    for (const [root, type] of this.#doc.share) if (type === item.parent) return { root, key: item.parentSub }
    return undefined
  }
}

export function isSamePlace(a: Place | undefined, b: Place): boolean {
  return a?.root === b.root && a.key === b.key
}
