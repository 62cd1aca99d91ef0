import { type FieldValue, type FlatMaps, type KeyChange, sameValue } from './flat-maps.ts'
import { utf8Length } from './limits.ts'
import { isLevel } from './roster/keys.ts'

/**
 * A user's own profile is one Yjs document among that user's devices, with one root map of flat keys
 * `<level>/<writer>/<field name>`. A *writer* is a device's own nonce. A device writes only its own key of a field, and removes
 * all other keys that it sees. So a set beats every concurrent unset, and of concurrent sets, the highest writer's counts
 * everywhere [R6]. With one key per field, an unset could remove a concurrent set in Yjs. Viewers receive each level's fields
 * as the server finds them, and not this document.
 */
export const profileRoot = 'fields'

/** Fields of a profile by name. */
export type Fields = Record<string, FieldValue>

export function profileKey(level: number, writer: string, name: string): string {
  return `${level}/${writer}/${name}`
}

/** Returns `undefined` when the key does not have that form. Any non-empty name is valid. */
export function parseProfileKey(key: string): { level: number; writer: string; name: string } | undefined {
  const match = /^(0|[1-9]\d{0,2})\/([A-Za-z0-9_-]{8,16})\/(.+)$/s.exec(key)
  const level = Number(match?.[1])
  if (!match || !isLevel(level)) return undefined
  return { level, writer: match[2] as string, name: match[3] as string }
}

/** The fields of each level; levels without fields are absent. Ordered by level, then by name. */
export function profileFields(profile: FlatMaps): Map<number, Fields> {
  const standing = new Map<number, Map<string, { writer: string; value: FieldValue }>>()
  for (const [key, value] of profile.entries(profileRoot)) {
    const parsed = parseProfileKey(key)
    if (!parsed) continue
    const { level, writer, name } = parsed
    const fields = standing.get(level) ?? new Map()
    standing.set(level, fields)
    const other = fields.get(name)
    if (!other || other.writer < writer) fields.set(name, { writer, value })
  }
  const levels = [...standing.keys()].sort((a, b) => a - b)
  return new Map(levels.map(level => [level, asFields(standing.get(level) ?? new Map())]))
}

function asFields(standing: Map<string, { value: FieldValue }>): Fields {
  const names = [...standing.keys()].sort()
  // From entries, so that a field named `__proto__` is an ordinary field.
  return Object.fromEntries(names.map(name => [name, copied(standing.get(name)?.value as FieldValue)]))
}

/** Returns bytes as a copy, so a caller who changes them, or transfers them to a worker, does not change the document. */
function copied(value: FieldValue): FieldValue {
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

/**
 * Sets one field at one level, for the device `writer`. Returns no changes if the field already has this value, and no other
 * [R3]. If the value is already under the writer's own key, but besides others, it is removed and set again: this is a new set,
 * which must beat a concurrent unset that had seen the old one [R6].
 */
export function planField(
  profile: FlatMaps,
  writer: string,
  level: number,
  name: string,
  value: FieldValue | undefined,
): KeyChange[] {
  const own = profileKey(level, writer, name)
  const standing = keysOfField(profile, level, name)
  if (value === undefined) return standing.map(key => ({ root: profileRoot, key, value: undefined }))
  const only = standing.length === 1 ? standing[0] : undefined
  if (only !== undefined && sameValue(profile.get(profileRoot, only), value)) return []
  const isReplaced = !sameValue(profile.get(profileRoot, own), value)
  return [
    ...standing.filter(key => key !== own || !isReplaced).map(key => ({ root: profileRoot, key, value: undefined })),
    { root: profileRoot, key: own, value },
  ]
}

function keysOfField(profile: FlatMaps, level: number, name: string): string[] {
  const keys: string[] = []
  for (const [key] of profile.entries(profileRoot)) {
    const parsed = parseProfileKey(key)
    if (parsed?.level === level && parsed.name === name) keys.push(key)
  }
  return keys
}

/** If a field has values at several levels that a viewer may see, the value of the highest level is shown. */
export function mergeLevels(fieldsByLevel: ReadonlyMap<number, Fields>): Fields {
  const levels = [...fieldsByLevel.keys()].sort((a, b) => a - b)
  return Object.fromEntries(levels.flatMap(level => Object.entries(fieldsByLevel.get(level) ?? {})))
}

/** The size of a value in a profile document, in bytes: strings in UTF-8, numbers as 8, booleans as 1. */
export function valueBytes(value: FieldValue): number {
  if (typeof value === 'string') return utf8Length(value)
  if (value instanceof Uint8Array) return value.length
  return typeof value === 'number' ? 8 : 1
}

/** The cost of a field besides its name and value; without it, a level could contain tens of thousands of tiny fields. */
export const fieldOverheadBytes = 32

/** The number of bytes that a field counts toward the size of its level. */
export function fieldBytes(name: string, value: FieldValue): number {
  return fieldOverheadBytes + utf8Length(name) + valueBytes(value)
}

/** The bytes of live content at each level: names, values and 32 for each field, including those of concurrent sets. */
export function profileBytes(profile: FlatMaps): Map<number, number> {
  const bytes = new Map<number, number>()
  for (const [key, value] of profile.entries(profileRoot)) {
    const parsed = parseProfileKey(key)
    if (!parsed) continue
    bytes.set(parsed.level, (bytes.get(parsed.level) ?? 0) + fieldBytes(parsed.name, value))
  }
  return bytes
}
