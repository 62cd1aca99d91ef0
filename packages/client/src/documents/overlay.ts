import type { FieldValue, FlatMaps, KeyChange } from '@kith/shared'

/** Returns `below` with the changes applied. The last change of each key counts. */
export function overlay(below: FlatMaps, changes: readonly KeyChange[]): FlatMaps {
  if (changes.length === 0) return below
  const changed = new Map<string, Map<string, FieldValue | undefined>>()
  for (const { root, key, value } of changes) {
    const keys = changed.get(root) ?? new Map<string, FieldValue | undefined>()
    changed.set(root, keys.set(key, value))
  }
  const get = (root: string, key: string): FieldValue | undefined => {
    const keys = changed.get(root)
    return keys?.has(key) ? keys.get(key) : below.get(root, key)
  }
  return {
    get,
    has: (root, key) => {
      const keys = changed.get(root)
      return keys?.has(key) ? keys.get(key) !== undefined : below.has(root, key)
    },
    *entries(root) {
      const keys = changed.get(root)
      for (const entry of below.entries(root)) if (!keys?.has(entry[0])) yield entry
      for (const [key, value] of keys ?? []) if (value !== undefined) yield [key, value]
    },
  }
}
