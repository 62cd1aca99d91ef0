import type { Limits } from '@kith/shared'
import type { DocumentName } from '../relations/records.ts'
import type { BackendEdit, MadeEdit } from './backend-edit.ts'
import type { ExportedBeside } from './exported.ts'
import type { Founded, Founding } from './founding.ts'
import type { MergeContext, Merged } from './merge.ts'
import type { Updates } from './missing.ts'

/**
 * The requests of the server's main thread to the merging thread. Each is answered once, in their order. A long merge is
 * answered with `goesOn`, and then continued by `continue`. Requests for other documents are answered in between.
 */
export type MergeRequest =
  | { type: 'open'; document: number; name: DocumentName; parts: readonly Uint8Array[]; limits: Limits }
  | { type: 'merge'; document: number; updates: readonly Uint8Array[]; context: MergeContext }
  | { type: 'continue'; document: number }
  | { type: 'missing'; document: number; stateVector: Uint8Array }
  | { type: 'newest'; document: number; updates: Updates }
  | { type: 'stateVector'; document: number }
  | { type: 'digest'; document: number }
  | { type: 'isOfOther'; document: number; stateVector: Uint8Array }
  | { type: 'exported'; document: number; beside: ExportedBeside }
  | { type: 'madeEdit'; document: number; edit: BackendEdit }
  | { type: 'longDeclined'; document: number; lapsingDay: number }
  | { type: 'found'; document: number; founding: Founding }
  | { type: 'close'; document: number }

/** The result of a run of updates, with its facts encoded. */
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
      isOfOther?: boolean
      madeEdit?: MadeEdit | undefined
      users?: string[]
      founded?: Founded | undefined
    }
  | { error: string }
