import type { Decoder, Encoder } from './codec.ts'
import { readSyncStep, type SyncStep, writeSyncStep } from './sync-step.ts'

/** 0, both ways: y-protocols' own sync message, for the roster document. */
export interface RosterSync extends SyncStep {
  type: 'rosterSync'
}

export const rosterSyncType = 0

export function writeRosterSync(encoder: Encoder, message: RosterSync): void {
  writeSyncStep(encoder, message)
}

export function readRosterSync(decoder: Decoder): RosterSync {
  return { type: 'rosterSync', ...readSyncStep(decoder) }
}
