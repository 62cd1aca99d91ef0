import { type Audience, type FieldValue, isLevel, parseUserId } from '@kith/shared'

/**
 * Checks of arguments that an app passes. A wrong argument is a programming mistake, so each check throws a `TypeError`.
 * A check returns the value in the form in which Kith stores it.
 */

export function checkUserId(value: unknown, what = 'A user id'): string {
  const parsed = typeof value === 'string' ? parseUserId(value) : { reason: 'not a string' }
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
  throw new TypeError(`An audience must be 'everyone', 'contacts' or 'nobody', not ${String(value)}`)
}

/** Returns the levels ascending and without duplicates, or `null` as it is. */
export function checkLevels(value: unknown): number[] | null {
  if (value === null) return null
  if (!Array.isArray(value) || !value.every(isLevel))
    throw new TypeError('Levels must be an array of integers from 0 to 255, or null')
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
  if (!isLevel(level)) throw new TypeError('A level must be an integer from 0 to 255')
  return level
}

export function checkFieldName(value: unknown): string {
  const name = checkText(value, "A field's name")
  if (name === '') throw new TypeError("A field's name must not be empty")
  return name
}

/** Returns a copy of bytes, so a later change of the caller's array has no effect. */
export function checkFieldValue(value: unknown): FieldValue {
  if (typeof value === 'string') return checkText(value, "A field's value")
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new TypeError("A field's value must be a string, a finite number, a boolean or a Uint8Array")
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Cs}/u.test(text)
}
