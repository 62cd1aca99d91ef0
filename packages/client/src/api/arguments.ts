import { type Audience, type FieldValue, parseUserId } from '@kith/shared'

/**
 * Checks of arguments that an app passes. A wrong argument is a programming mistake, so each check throws a `TypeError`, which
 * names the argument, the expected value and the given value. A check returns the value in the form in which Kith stores it.
 */

/** The error for a wrong argument. `given` appears in the message, shortened: never pass a secret. */
export function wrong(name: string, wanted: string, given: unknown): TypeError {
  return new TypeError(`${name} must be ${wanted}, not ${shown(given)}`)
}

/** Describes a value in a few words. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value)
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(shown).join(', ')}${value.length > 8 ? ', …' : ''}]`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object (${value.constructor?.name ?? 'without a class'})`
}

export function checkUserId(value: unknown, name = 'id'): string {
  const parsed = typeof value === 'string' ? parseUserId(value) : undefined
  if (parsed && 'id' in parsed) return parsed.id
  const what = 'a user id, a text of 1 to 128 bytes without control characters'
  throw wrong(name, what, value)
}

/** With `known`, any other property is an error too: it would have no effect, and is probably misspelled. */
export function checkIsObject(value: unknown, name = 'options', known?: readonly string[]): void {
  if (typeof value !== 'object' || value === null) throw wrong(name, 'an object', value)
  for (const [key, given] of known ? Object.entries(value) : []) {
    if (!known?.includes(key)) throw wrong(`${name}.${key}`, 'absent', given)
  }
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw wrong(name, 'true or false', value)
  return value
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw wrong(name, 'a function', value)
}

export function checkAudience(value: unknown): Audience {
  if (value === 'everyone' || value === 'contacts' || value === 'nobody') return value
  throw wrong('audience', "'everyone', 'contacts' or 'nobody'", value)
}

/** Returns an array of strings unchanged. */
export function checkTexts(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw wrong(name, 'an array of strings', value)
  const other = value.findIndex(item => typeof item !== 'string')
  if (other >= 0) throw wrong(`${name}[${other}]`, 'a string', value[other])
  return value
}

export function checkText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw wrong(name, 'a string', value)
  if (hasLoneSurrogate(value)) throw wrong(name, 'a well-formed string, without half a surrogate pair', value)
  return value
}

export function checkNotEmpty(value: unknown, name: string): string {
  const text = checkText(value, name)
  if (text === '') throw wrong(name, 'a string that is not empty', text)
  return text
}

/** Returns a copy of bytes, so a later change of the caller's array has no effect. */
export function checkFieldValue(value: unknown): FieldValue {
  if (typeof value === 'string') return checkText(value, 'value')
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (isBytes(value)) return new Uint8Array(value)
  throw wrong('value', 'a string, a finite number, a boolean or a Uint8Array', value)
}

/** Whether a value is a Uint8Array, also one of another realm, such as that of an iframe. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Cs}/u.test(text)
}
