import assert from 'node:assert/strict'

/** Throws unless both are equal. Bytes are equal whatever their class; a property may be absent instead of `undefined`. */
export function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(plain(actual), plain(expected))
}

/**
 * Throws unless every property of `expected` is equal in `actual`, which may have more. Compares nested objects in the same
 * way.
 */
export function matches(actual: unknown, expected: object): void {
  same(picked(actual, expected), expected)
}

/** Throws unless one item of the list equals `expected`. */
export function contains(list: readonly unknown[], expected: unknown): void {
  const items = list.map(plain)
  const isFound = items.some(item => isEqual(item, plain(expected)))
  assert.ok(isFound, `expected ${JSON.stringify(expected)} among ${JSON.stringify(items)}`)
}

function isEqual(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other)
    return true
  } catch {
    return false
  }
}

/** Returns the value without classes and `undefined` properties, as data. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return [...value].map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, property]) => property !== undefined)
  return Object.fromEntries(entries.map(([name, property]) => [name, plain(property)]))
}

function picked(actual: unknown, expected: unknown): unknown {
  if (actual instanceof Uint8Array || !isObject(actual) || !isObject(expected)) return actual
  if (Array.isArray(actual)) return actual.map((item, index) => picked(item, (expected as unknown[])[index]))
  const names = Object.keys(expected)
  const properties = actual as Record<string, unknown>
  return Object.fromEntries(
    names.map(name => [name, picked(properties[name], (expected as Record<string, unknown>)[name])]),
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
