import { type Decoder, type Encoder, readString, readUint, writeString, writeUint } from './codec.ts'

/** 113, server → device: whether a device of the addressee took the message. */
export interface Outcome {
  type: 'outcome'
  id: string
  isDelivered: boolean
}

export const outcomeType = 113

export function writeOutcome(encoder: Encoder, message: Outcome): void {
  writeString(encoder, message.id)
  writeUint(encoder, message.isDelivered ? 1 : 0)
}

export function readOutcome(decoder: Decoder): Outcome {
  return { type: 'outcome', id: readString(decoder, 64), isDelivered: readUint(decoder, 1) === 1 }
}
