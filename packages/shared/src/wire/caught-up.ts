import { type Decoder, type Encoder, readBytes, writeBytes } from './codec.ts'

/** 109, server → device: everything that this device may see up to the cursor has been handed over. */
export interface CaughtUp {
  type: 'caughtUp'
  cursor: Uint8Array
}

export const caughtUpType = 109

export function writeCaughtUp(encoder: Encoder, message: CaughtUp): void {
  writeBytes(encoder, message.cursor)
}

export function readCaughtUp(decoder: Decoder): CaughtUp {
  return { type: 'caughtUp', cursor: readBytes(decoder, 64) }
}
