import type { ErrorCode } from '../errors.ts'
import { type Decoder, type Encoder, readCode, readUint, readUserId, writeString, writeUint } from './codec.ts'

/** 115, server → device: something that was asked for waits or was not done, which ends nothing. */
export interface Failure {
  type: 'failure'
  code: ErrorCode
  /** Milliseconds until all of it will have been served; 0 where waiting doesn't help. Sent as a whole number. */
  retryAfterMs: number
  /** How many user ids this is about. */
  count: number
  /** The first of them, at most 100. */
  addresses: readonly string[]
}

export const failureType = 115
export const maxFailureAddresses = 100

export function writeFailure(encoder: Encoder, message: Failure): void {
  writeString(encoder, message.code)
  // A limit that refills by nothing makes a wait without end.
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
