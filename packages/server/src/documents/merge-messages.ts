import type { Limits } from '@kith/shared'
import type { DocumentName } from '../relations/records.ts'
import type { Merged } from './merge.ts'

/** What the server's thread asks of the merging thread. Each is answered once, in their order. */
export type MergeRequest =
  | { type: 'open'; document: number; name: DocumentName; parts: readonly Uint8Array[]; limits: Limits }
  | { type: 'merge'; document: number; updates: readonly Uint8Array[] }
  | { type: 'missing'; document: number; stateVector: Uint8Array }
  | { type: 'stateVector'; document: number }
  | { type: 'close'; document: number }

/** A run of updates, its facts encoded. */
export interface EncodedMerged extends Omit<Merged, 'roster'> {
  roster?: (Omit<NonNullable<Merged['roster']>, 'facts'> & { facts: Uint8Array }) | undefined
}

export type MergeAnswer = { weight: number; merged?: EncodedMerged; bytes?: Uint8Array | undefined } | { error: string }
