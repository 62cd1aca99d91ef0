import type * as Y from 'yjs'

/**
 * Kith's documents are flat: root Y.Maps whose values are primitives. If two devices create a nested Y.Map under one key, one
 * of the two maps is lost; flat keys avoid this. Only this file depends on Yjs' maps.
 */

/** A field's value. `Uint8Array` only in profiles. */
export type FieldValue = string | number | boolean | Uint8Array

/** One key of one root map: set to `value`, or removed if that is `undefined`. */
export interface KeyChange {
  root: string
  key: string
  value: FieldValue | undefined
}

/** Read access to a flat document, or to a view of one with changes applied. */
export interface FlatMaps {
  get(root: string, key: string): FieldValue | undefined
  has(root: string, key: string): boolean
  entries(root: string): Iterable<[string, FieldValue]>
}

/** A Yjs document as flat maps. A root that was never written reads as empty. */
export function flatMapsOf(doc: Y.Doc): FlatMaps {
  return {
    get: (root, key) => doc.getMap<FieldValue>(root).get(key),
    has: (root, key) => doc.getMap<FieldValue>(root).has(key),
    entries: root => doc.getMap<FieldValue>(root).entries(),
  }
}

/**
 * Writes the changes in one transaction, in their order. A change that the document already contains writes nothing [R3].
 * Throws a `TypeError`, and writes nothing, when a key or a string contains half a surrogate pair: UTF-8 would encode it as
 * U+FFFD, and other devices would have another value than this one [R1].
 */
export function applyChanges(doc: Y.Doc, changes: readonly KeyChange[], origin?: unknown): void {
  for (const { key, value } of changes) {
    if (halfSurrogatePair.test(key) || (typeof value === 'string' && halfSurrogatePair.test(value))) {
      throw new TypeError('Half a surrogate pair cannot be stored')
    }
  }
  doc.transact(() => {
    for (const { root, key, value } of changes) {
      const map = doc.getMap<FieldValue>(root)
      if (value === undefined) map.delete(key)
      else if (!sameValue(map.get(key), value)) map.set(key, stored(value))
    }
  }, origin)
}

const halfSurrogatePair = /\p{Cs}/u

/** Yjs keeps the array object that it receives, which the caller may change later, and accepts no subclass such as Buffer. */
function stored(value: FieldValue): FieldValue {
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

/** Equality of field values: bytes by content, numbers as in `Object.is`. */
export function sameValue(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return Object.is(a, b)
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
