import type { Limits, Retired } from '@kith/shared'
import type { DocumentName } from '../relations/records.ts'
import type { Founded, Founding } from './founding.ts'
import type { Merged } from './merge.ts'

/**
 * What the server's thread asks of the merging thread. Each is answered once, in their order. A merge that takes long is
 * answered with `goesOn`, and then goes on by `continue`: what is asked for other documents meanwhile is answered in between.
 */
export type MergeRequest =
  | { type: 'open'; document: number; name: DocumentName; parts: readonly Uint8Array[]; limits: Limits }
  | { type: 'merge'; document: number; updates: readonly Uint8Array[] }
  | { type: 'continue'; document: number }
  | { type: 'missing'; document: number; stateVector: Uint8Array }
  | { type: 'stateVector'; document: number }
  | { type: 'digest'; document: number }
  | { type: 'retired'; document: number }
  | { type: 'longDeclined'; document: number; today: number }
  | { type: 'found'; document: number; founding: Founding }
  | { type: 'close'; document: number }

/** A run of updates, its facts encoded. */
export interface EncodedMerged extends Omit<Merged, 'roster'> {
  roster?: (Omit<NonNullable<Merged['roster']>, 'facts'> & { facts: Uint8Array }) | undefined
}

export type MergeAnswer =
  | {
      weight: number
      /** The client that founded the document's generation. */
      founder: number
      merged?: EncodedMerged
      goesOn?: boolean
      bytes?: Uint8Array | undefined
      retired?: Retired
      users?: string[]
      founded?: Founded | undefined
    }
  | { error: string }
