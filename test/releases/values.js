/** A value as JSON can hold it: bytes, maps and sets by name. */
export function withoutBytes(value) {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') }
  if (value instanceof Map) return { $map: withoutBytes([...value]) }
  if (value instanceof Set) return { $set: withoutBytes([...value]) }
  if (Array.isArray(value)) return value.map(withoutBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutBytes(one)]))
}

/** The value that was made JSON. */
export function withBytes(value) {
  if (Array.isArray(value)) return value.map(withBytes)
  if (typeof value !== 'object' || value === null) return value
  if ('$bytes' in value) return new Uint8Array(Buffer.from(value.$bytes, 'hex'))
  if ('$map' in value) return new Map(withBytes(value.$map))
  if ('$set' in value) return new Set(withBytes(value.$set))
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withBytes(one)]))
}
