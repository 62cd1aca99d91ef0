import type { ErrorCode } from '../errors.ts'
import { type Decoder, type Encoder, readCode, readUint, readUserId, writeString, writeUint } from './codec.ts'

/** 115, server → device: a request waits or was not served. The session continues. */
export interface Failure {
  type: 'failure'
  code: ErrorCode
  /** Milliseconds until all of it will have been served; 0 if waiting does not help. Sent as a whole number. */
  retryAfterMs: number
  /** The number of user ids that this is about. */
  count: number
  /** The first of the user ids, at most 100. */
  addresses: readonly string[]
}

export const failureType = 115
export const maxFailureAddresses = 100

export function writeFailure(encoder: Encoder, message: Failure): void {
  writeString(encoder, message.code)
  // A limit without refill would make the wait infinite.
  writeUint(encoder, Number.isFinite(message.retryAfterMs) ? Math.ceil(message.retryAfterMs) : 0)
  writeUint(encoder, message.count)
  writeUint(encoder, message.addresses.length)
  for (const address of message.addresses) writeString(encoder, address)
}

export function readFailure(decoder: Decoder): Failure {
  const code = readCode(decoder)
  const retryAfterMs = readUint(decoder)
  const count = readUint(decoder)
  const addresses: string[] = []
  for (let left = readUint(decoder, maxFailureAddresses); left > 0; left--) addresses.push(readUserId(decoder))
  return { type: 'failure', code, retryAfterMs, count, addresses }
}
