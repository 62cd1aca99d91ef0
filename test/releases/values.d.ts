export function withoutBytes(value: unknown): unknown
export function withBytes(value: unknown): unknown
