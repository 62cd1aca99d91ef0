import { flatMapsOf, isNarrowing, rosterEntryBytes } from '@kith/shared'
import * as Y from 'yjs'
import { valuesIn } from './item-values.ts'
import { ItemsByClient } from './items-by-client.ts'
import { Places } from './places.ts'

export interface RosterGrowth {
  bytes: number
  /** The part that is not on the private side (blocks, declined users, narrower privacy). */
  wideningBytes: number
}

/** Returns the most bytes by which an update can increase the content of a roster. Its removals count only afterwards. */
export function rosterGrowth(doc: Y.Doc, update: Uint8Array): RosterGrowth {
  const { structs, ds } = Y.decodeUpdate(update)
  const items = new ItemsByClient(structs.filter(struct => struct instanceof Y.Item))
  const places = new Places(doc, items)
  const standing = flatMapsOf(doc)
  const growthByKey = new Map<string, { growth: number; isWidening: boolean }>()
  for (const item of items.all) {
    const place = item.id.clock + item.length > Y.getState(doc.store, item.id.client) ? places.of(item) : undefined
    const value = valuesIn(item, ds)?.at(-1)
    if (!place || value === undefined) continue
    const { root, key } = place
    const old = standing.get(root, key)
    const growth = rosterEntryBytes(root, key, value) - (old === undefined ? 0 : rosterEntryBytes(root, key, old))
    const name = `${root} ${key}`
    const most = Math.max(growthByKey.get(name)?.growth ?? 0, growth)
    growthByKey.set(name, { growth: most, isWidening: !isNarrowing({ root, key, value }) })
  }
  const total: RosterGrowth = { bytes: 0, wideningBytes: 0 }
  for (const { growth, isWidening } of growthByKey.values()) {
    total.bytes += growth
    if (isWidening) total.wideningBytes += growth
  }
  return total
}
