import { fromBase64, toBase64 } from 'lib0/buffer'
import type { FieldValue } from '../flat-maps.ts'
import type { FileValue } from './file.ts'

/** Numbers that JSON lacks. */
const numbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Infinity,
  '-Infinity': -Infinity,
  '-0': -0,
}

export function encodeValue(value: FieldValue): FileValue {
  if (value instanceof Uint8Array) return { base64: toBase64(value) }
  const name = Object.keys(numbers).find(name => Object.is(numbers[name], value))
  return name === undefined ? value : { number: name }
}

/** Returns the value of a field, or `undefined` if the input is invalid. */
export function decodeValue(value: unknown): FieldValue | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return undefined
  const { base64, number } = value as { base64?: unknown; number?: unknown }
  if (typeof number === 'string' && Object.hasOwn(numbers, number)) return numbers[number]
  return typeof base64 === 'string' && isBase64.test(base64) ? fromBase64(base64) : undefined
}

const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
