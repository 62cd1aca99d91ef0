import { type Decoder, type Encoder, readBytes, readUint, writeBytes, writeUint } from './codec.ts'

/** 0, both ways: y-protocols' own sync message, for the roster document. */
export interface RosterSync {
  type: 'rosterSync'
  step: 'step1' | 'step2' | 'update'
  /** A state vector for `step1`, else an update (V1). */
  payload: Uint8Array
}

export const rosterSyncType = 0

const steps = ['step1', 'step2', 'update'] as const

export function writeRosterSync(encoder: Encoder, message: RosterSync): void {
  writeUint(encoder, steps.indexOf(message.step))
  writeBytes(encoder, message.payload)
}

export function readRosterSync(decoder: Decoder): RosterSync {
  const step = steps[readUint(decoder, 2)] as RosterSync['step']
  return { type: 'rosterSync', step, payload: readBytes(decoder, Number.MAX_SAFE_INTEGER) }
}
