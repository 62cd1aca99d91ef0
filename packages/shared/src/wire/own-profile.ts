import { type Decoder, type Encoder, readBytes, readUint, writeBytes, writeUint } from './codec.ts'

/**
 * 102, both ways: a y-protocols sync message for the owner's own profile document. The inner type and payload are those of
 * message type 0: 0 sync step 1 (a state vector), 1 sync step 2 (an update), 2 an update.
 */
export interface OwnProfile {
  type: 'ownProfile'
  step: 'step1' | 'step2' | 'update'
  /** A state vector for `step1`, else an update (V1). */
  payload: Uint8Array
}

export const ownProfileType = 102

const steps = ['step1', 'step2', 'update'] as const

export function writeOwnProfile(encoder: Encoder, message: OwnProfile): void {
  writeUint(encoder, steps.indexOf(message.step))
  writeBytes(encoder, message.payload)
}

export function readOwnProfile(decoder: Decoder): OwnProfile {
  const step = steps[readUint(decoder, 2)] as OwnProfile['step']
  return { type: 'ownProfile', step, payload: readBytes(decoder, Number.MAX_SAFE_INTEGER) }
}
