import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'
import { type Decoder, type Encoder, ensure, readBytes, readUint, writeBytes, writeUint } from './codec.ts'

/** The content of a y-protocols sync message: for the roster (type 0), and for the own profile (type 102). */
export interface SyncStep {
  step: 'step1' | 'step2' | 'update'
  /** A state vector for `step1`, otherwise an update in `updateV1`. */
  payload: Uint8Array
}

const numbers = { step1: messageYjsSyncStep1, step2: messageYjsSyncStep2, update: messageYjsUpdate } as const
const steps = ['step1', 'step2', 'update'] as const

export function writeSyncStep(encoder: Encoder, { step, payload }: SyncStep): void {
  writeUint(encoder, numbers[step])
  writeBytes(encoder, payload)
}

export function readSyncStep(decoder: Decoder): SyncStep {
  const number = readUint(decoder)
  const step = steps.find(name => numbers[name] === number)
  ensure(step !== undefined, `no sync message ${number}`)
  return { step, payload: readBytes(decoder, Number.MAX_SAFE_INTEGER) }
}
