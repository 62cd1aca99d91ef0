import type { Decoder, Encoder } from './codec.ts'
import { readSyncStep, type SyncStep, writeSyncStep } from './sync-step.ts'

/** 102, both ways: like `rosterSync`, for the owner's own profile document, among the owner's devices. */
export interface OwnProfile extends SyncStep {
  type: 'ownProfile'
}

export const ownProfileType = 102

export function writeOwnProfile(encoder: Encoder, message: OwnProfile): void {
  writeSyncStep(encoder, message)
}

export function readOwnProfile(decoder: Decoder): OwnProfile {
  return { type: 'ownProfile', ...readSyncStep(decoder) }
}
