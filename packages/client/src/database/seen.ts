import { type FieldValue, type FlatMaps, type KeyChange, sameValue } from '@kith/shared'
import { digest } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'
import { decodeChanges, encodeChanges } from '../documents/changes-codec.ts'
import { keyName } from '../documents/lost.ts'
import type { OutboxRow } from './schema.ts'

/**
 * The values that changes met, for the outbox: each key that had a value, with a digest of it. The values themselves are not
 * stored, since they may be erased by now [V5].
 */
export function seenBy(standing: FlatMaps, changes: readonly KeyChange[]): { seen?: Uint8Array } {
  const met = changes.flatMap(({ root, key }) => {
    const value = standing.get(root, key)
    return value === undefined ? [] : [{ root, key, value: digestOf(value) }]
  })
  return { seen: encodeChanges(met) }
}

/** The values that this device's unsent changes met or made, by `root key`. */
export class Seen {
  readonly #values: Map<string, FieldValue[]> = new Map()
  /** Keys of changes for which the met values are unknown. */
  readonly #unknown: Set<string> = new Set()

  constructor(rows: readonly OutboxRow[]) {
    for (const { changes, seen } of rows) {
      for (const change of decodeChanges(changes)) {
        if (change.value !== undefined) this.#note(keyName(change), digestOf(change.value))
        if (!seen) this.#unknown.add(keyName(change))
      }
      for (const { root, key, value } of seen ? decodeChanges(seen) : []) {
        if (value !== undefined) this.#note(keyName({ root, key }), value)
      }
    }
  }

  /** Whether the user may have seen this value when a change of the key was made. If not, another device has set it since. */
  has(name: string, value: FieldValue): boolean {
    if (this.#unknown.has(name)) return true
    const digested = digestOf(value)
    return this.#values.get(name)?.some(one => sameValue(one, digested)) ?? false
  }

  #note(name: string, value: FieldValue): void {
    const values = this.#values.get(name)
    if (values) values.push(value)
    else this.#values.set(name, [value])
  }
}

/** `true` for most values of a roster. */
function digestOf(value: FieldValue): FieldValue {
  if (value === true) return true
  const bytes = value instanceof Uint8Array ? value : encodeUtf8(`${typeof value} ${value}`)
  return digest(bytes).slice(0, 8)
}
