import type { FieldValue } from '@kith/shared'
import { type TSchema, Type } from 'typebox'

/** Bytes are base64, because JSON has no type for them. */
const bytes = Type.Object(
  { base64: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' }) },
  { additionalProperties: false },
)

export const value: TSchema = Type.Union([Type.String(), Type.Number(), Type.Boolean(), bytes])
export type Value = string | number | boolean | { base64: string }

export function fieldOf(json: Value): FieldValue {
  return typeof json === 'object' ? new Uint8Array(Buffer.from(json.base64, 'base64')) : json
}

export function jsonOf(field: FieldValue): Value {
  return field instanceof Uint8Array ? { base64: Buffer.from(field).toString('base64') } : field
}
