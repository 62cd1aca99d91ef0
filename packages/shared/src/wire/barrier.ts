import { type Decoder, type Encoder, readUint, writeUint } from './codec.ts'

/**
 * 103, device → server: "answer when all that I sent before this is on disk" [D2][D3]; with `withFeed` also "and when you
 * have handed me all that I may see up to now".
 */
export interface Barrier {
  type: 'barrier'
  /** Chosen by the device; returned in `reached`. */
  id: number
  withFeed: boolean
}

export const barrierType = 103

export function writeBarrier(encoder: Encoder, message: Barrier): void {
  writeUint(encoder, message.id)
  writeUint(encoder, message.withFeed ? 1 : 0)
}

export function readBarrier(decoder: Decoder): Barrier {
  return { type: 'barrier', id: readUint(decoder), withFeed: readUint(decoder, 1) === 1 }
}
