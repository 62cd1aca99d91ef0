import { type ErrorCode, isErrorCode } from '../errors.ts'
import { type Decoder, type Encoder, ensure, readString, readUint, writeString, writeUint } from './codec.ts'

/** 113, server → device: what became of a message. */
export interface Outcome {
  type: 'outcome'
  id: string
  /** A device of the addressee took it. */
  isDelivered: boolean
  /** It was not sent on because of a limit; `retryAfterMs` is 0 where waiting doesn't help. */
  refusal?: { code: ErrorCode; retryAfterMs: number } | undefined
}

export const outcomeType = 113

const results = { undelivered: 0, delivered: 1, refused: 2 } as const

export function writeOutcome(encoder: Encoder, { id, isDelivered, refusal }: Outcome): void {
  writeString(encoder, id)
  writeUint(encoder, refusal ? results.refused : isDelivered ? results.delivered : results.undelivered)
  if (!refusal) return
  writeString(encoder, refusal.code)
  writeUint(encoder, refusal.retryAfterMs)
}

export function readOutcome(decoder: Decoder): Outcome {
  const id = readString(decoder, 64)
  const result = readUint(decoder, results.refused)
  if (result !== results.refused) return { type: 'outcome', id, isDelivered: result === results.delivered }
  const code = readString(decoder, 64)
  ensure(isErrorCode(code), `no code ${code}`)
  return { type: 'outcome', id, isDelivered: false, refusal: { code, retryAfterMs: readUint(decoder) } }
}
