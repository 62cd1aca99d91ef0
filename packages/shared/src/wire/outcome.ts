import type { ErrorCode } from '../errors.ts'
import { type Decoder, type Encoder, readCode, readString, readUint, writeString, writeUint } from './codec.ts'

/**
 * The outcome of a direct message:
 * - `delivered`: a device of the recipient accepted it.
 * - `undelivered`: no device accepted it in time, or none may.
 * - `unconfirmed`: the sender may not know whether the recipient is online, so the outcome is not sent [V10].
 */
export type Delivery = 'delivered' | 'undelivered' | 'unconfirmed'

/** 113, server → device: the outcome of a message. */
export interface Outcome {
  type: 'outcome'
  id: string
  state: Delivery
  /** It was not relayed because of a limit, and is undelivered; `retryAfterMs` is 0 if waiting does not help. */
  refusal?: { code: ErrorCode; retryAfterMs: number } | undefined
}

export const outcomeType = 113

const states = ['undelivered', 'delivered', 'unconfirmed'] as const
const refused = 3

export function writeOutcome(encoder: Encoder, { id, state, refusal }: Outcome): void {
  writeString(encoder, id)
  writeUint(encoder, refusal ? refused : states.indexOf(state))
  if (!refusal) return
  writeString(encoder, refusal.code)
  writeUint(encoder, refusal.retryAfterMs)
}

export function readOutcome(decoder: Decoder): Outcome {
  const id = readString(decoder, 64)
  const result = readUint(decoder, refused)
  if (result !== refused) return { type: 'outcome', id, state: states[result] as Delivery }
  const code = readCode(decoder)
  return { type: 'outcome', id, state: 'undelivered', refusal: { code, retryAfterMs: readUint(decoder) } }
}
