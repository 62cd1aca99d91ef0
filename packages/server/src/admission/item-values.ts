import type { FieldValue } from '@kith/shared'
import * as Y from 'yjs'

/** The removals of an update. */
export type Removals = ReturnType<typeof Y.decodeUpdate>['ds']

/**
 * Returns the values of an item, with `undefined` for those that its writer has removed. Returns `undefined` if the content is
 * not values.
 */
export function valuesIn(item: Y.Item, removals: Removals): readonly (FieldValue | undefined)[] | undefined {
  const { content } = item
  if (content instanceof Y.ContentDeleted) return [undefined]
  if (content instanceof Y.ContentBinary) return [content.content]
  if (!(content instanceof Y.ContentAny)) return undefined
  // Overwritten values from a document without garbage collection arrive merged, and together with their removal.
  if (content.arr.length > 1 && !isRemoved(item, removals)) return undefined
  return content.arr.every(isValue) ? content.arr : undefined
}

function isValue(value: unknown): value is FieldValue {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Uint8Array
}

function isRemoved({ id, length }: Y.Item, removals: Removals): boolean {
  const ranges = removals.clients.get(id.client) ?? []
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const { clock, len } = ranges[middle] as { clock: number; len: number }
    if (id.clock < clock) high = middle - 1
    else if (id.clock >= clock + len) low = middle + 1
    else return id.clock + length <= clock + len
  }
  return false
}
