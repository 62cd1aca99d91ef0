import { type FieldValue, type FlatMaps, type KeyChange, sameValue } from './flat-maps.ts'
import { utf8Length } from './limits.ts'
import { isLevel } from './roster/keys.ts'

/**
 * A user's own profile is one Yjs document among that user's devices, with one root map of flat keys
 * `<level>/<writer>/<field name>`. A *writer* is a device's own nonce: each device writes only its own key of a field and
 * removes every other that it sees. So a set beats every concurrent unset, and of concurrent sets the highest writer's
 * counts, everywhere [R6]; with one key per field Yjs would let an unset remove a concurrent set.
 * What viewers get is not this document but each level's fields, as the server finds them.
 */
export const profileRoot = 'fields'

/** Fields of a profile by name. */
export type Fields = Record<string, FieldValue>

export function profileKey(level: number, writer: string, name: string): string {
  return `${level}/${writer}/${name}`
}

/** `undefined` when the key is not of that form. Any non-empty name is one. */
export function parseProfileKey(key: string): { level: number; writer: string; name: string } | undefined {
  const match = /^(0|[1-9]\d{0,2})\/([A-Za-z0-9_-]{8,16})\/(.+)$/s.exec(key)
  const level = Number(match?.[1])
  if (!match || !isLevel(level)) return undefined
  return { level, writer: match[2] as string, name: match[3] as string }
}

/** The fields that stand at each level; levels without any are absent. Ordered by level, then by name. */
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
  // From entries, so that a field named `__proto__` is a field like any other.
  return Object.fromEntries(names.map(name => [name, copied(standing.get(name)?.value as FieldValue)]))
}

/** Bytes are handed out as a copy, so a caller who changes them, or transfers them to a worker, does not change the document. */
function copied(value: FieldValue): FieldValue {
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

/**
 * Sets one field at one level, for the device `writer`; no changes when it already stands so, and alone [R3]. A value that
 * stood under the writer's own key beside others is removed and set again: it's a new set, which must beat a concurrent
 * unset that had seen the old one [R6].
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

/** If one field stands at several levels that a viewer may see, the highest level's value is shown. */
export function mergeLevels(fieldsByLevel: ReadonlyMap<number, Fields>): Fields {
  const levels = [...fieldsByLevel.keys()].sort((a, b) => a - b)
  return Object.fromEntries(levels.flatMap(level => Object.entries(fieldsByLevel.get(level) ?? {})))
}

/** The bytes that a value takes in a profile document: strings in UTF-8, numbers as 8, booleans as 1. */
export function valueBytes(value: FieldValue): number {
  if (typeof value === 'string') return utf8Length(value)
  if (value instanceof Uint8Array) return value.length
  return typeof value === 'number' ? 8 : 1
}

/** What a field costs besides its name and value: without it a level could hold tens of thousands of tiny fields. */
export const fieldOverheadBytes = 32

/** How many bytes a field counts toward the size of its level. */
export function fieldBytes(name: string, value: FieldValue): number {
  return fieldOverheadBytes + utf8Length(name) + valueBytes(value)
}

/** Bytes of live content at each level: names, values and 32 for each field, those of concurrent sets too. */
export function profileBytes(profile: FlatMaps): Map<number, number> {
  const bytes = new Map<number, number>()
  for (const [key, value] of profile.entries(profileRoot)) {
    const parsed = parseProfileKey(key)
    if (!parsed) continue
    bytes.set(parsed.level, (bytes.get(parsed.level) ?? 0) + fieldBytes(parsed.name, value))
  }
  return bytes
}
