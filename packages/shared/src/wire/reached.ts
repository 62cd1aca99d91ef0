import { type Decoder, type Encoder, readUint, writeUint } from './codec.ts'

/** 104, server → device: the answer to a barrier. */
export interface Reached {
  type: 'reached'
  id: number
  /**
   * False when an update that this device sent since its last barrier was refused, or dropped because its predecessors are
   * missing. Then the updates since that barrier may not be on disk, and must be sent again or rebuilt [D5].
   */
  isComplete: boolean
}

export const reachedType = 104

export function writeReached(encoder: Encoder, message: Reached): void {
  writeUint(encoder, message.id)
  writeUint(encoder, message.isComplete ? 1 : 0)
}

export function readReached(decoder: Decoder): Reached {
  return { type: 'reached', id: readUint(decoder), isComplete: readUint(decoder, 1) === 1 }
}
