import { type Audience, type FieldValue, isLevel, parseUserId } from '@kith/shared'

/**
 * The checks of what an app passes in. Wrong arguments are programming mistakes: each of these throws a `TypeError`, and
 * returns the value in the form in which it is kept, if it is kept.
 */

export function checkUserId(value: unknown, what = 'A user id'): string {
  const parsed = typeof value === 'string' ? parseUserId(value) : { reason: 'no string' }
  if ('id' in parsed) return parsed.id
  throw new TypeError(`${what} is ${parsed.reason}`)
}

export function checkIsObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('Options must be an object')
}

export function checkBoolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false`)
  return value
}

export function checkAudience(value: unknown): Audience {
  if (value === 'everyone' || value === 'contacts' || value === 'nobody') return value
  throw new TypeError(`There is no audience ${String(value)}: it is 'everyone', 'contacts' or 'nobody'`)
}

/** Ascending and without duplicates; `null` stays. */
export function checkLevels(value: unknown): number[] | null {
  if (value === null) return null
  if (!Array.isArray(value) || !value.every(isLevel))
    throw new TypeError('Levels are an array of integers 0–255, or null')
  return [...new Set<number>(value)].sort((a, b) => a - b)
}

export function checkText(value: unknown, what: string): string {
  if (typeof value !== 'string' || hasLoneSurrogate(value)) throw new TypeError(`${what} must be a well-formed string`)
  return value
}

export function checkLevelOption(options: unknown): number {
  if (options === undefined) return 0
  checkIsObject(options)
  const { level = 0 } = options as { level?: unknown }
  if (!isLevel(level)) throw new TypeError('A level is an integer 0–255')
  return level
}

export function checkFieldName(value: unknown): string {
  const name = checkText(value, "A field's name")
  if (name === '') throw new TypeError("A field's name must not be empty")
  return name
}

/** A copy of bytes, so that a later change of the caller's array changes nothing here. */
export function checkFieldValue(value: unknown): FieldValue {
  if (typeof value === 'string') return checkText(value, "A field's value")
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new TypeError("A field's value is a string, a finite number, a boolean or a Uint8Array")
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Cs}/u.test(text)
}
