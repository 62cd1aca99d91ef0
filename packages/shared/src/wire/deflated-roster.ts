import { type Decoder, type Encoder, ensure, readUint, writeUint } from './codec.ts'
import { readSyncStep, type SyncStep, writeSyncStep } from './sync-step.ts'

/**
 * 118, device → server, from wire 4 on: a `rosterSync` whose update is compressed. It states the inflated size first, so that
 * the size is charged and bounded before anything is inflated [S3].
 */
export interface DeflatedRoster extends SyncStep {
  type: 'deflatedRoster'
  step: 'step2' | 'update'
  /** The bytes of the update, at most {@link maxInflatedBytes}. */
  size: number
  /** The update as raw DEFLATE (RFC 1951), which is shorter. */
  payload: Uint8Array
}

export const deflatedRosterType = 118

/** Inflating this much takes about 5 ms [S3]. Larger updates are sent uncompressed. */
export const maxInflatedBytes: number = 2 * 1024 * 1024

export function writeDeflatedRoster(encoder: Encoder, message: DeflatedRoster): void {
  writeUint(encoder, message.size)
  writeSyncStep(encoder, message)
}

export function readDeflatedRoster(decoder: Decoder): DeflatedRoster {
  const size = readUint(decoder, maxInflatedBytes)
  const { step, payload } = readSyncStep(decoder)
  ensure(step !== 'step1', 'a compressed step 1')
  ensure(payload.length < size, 'compressed, and not shorter')
  return { type: 'deflatedRoster', size, step, payload }
}
