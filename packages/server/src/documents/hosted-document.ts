import { documentDigest, type Limits } from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentName } from '../relations/records.ts'
import { turnForSlice } from '../turns.ts'
import { type BackendEdit, type MadeEdit, madeEdit } from './backend-edit.ts'
import { longDeclined } from './declined.ts'
import { type ExportedBeside, exportedBytes } from './exported.ts'
import { type Founded, type Founding, foundIfDue } from './founding.ts'
import { type MergeContext, type Merged, mergeUpdates } from './merge.ts'
import { missingFrom, newestOf, type Updates } from './missing.ts'
import { isOfOther } from './state-vector.ts'
import { StoredDocument } from './stored-document.ts'

/** A writer's document in memory, in this thread or in the merging thread. One caller at a time may use it. */
export interface HostedDocument {
  /** Its size on disk and in memory (document-weight.ts), an upper bound. */
  readonly weight: number
  /** The client that founded its generation; 0 for the first generation. Known after the first operation on the document. */
  readonly founder: number
  /**
   * Keeps the document in memory until {@link release}, even if other documents need the room. `moreBytes` are about to be
   * merged.
   */
  hold(moreBytes: number): void
  release(): void
  merge(updates: readonly Uint8Array[], context: MergeContext): Promise<Merged>
  missing(stateVector: Uint8Array): Promise<Uint8Array | undefined>
  /** Returns the content that updates added, as the document has it now ({@link newestOf}). */
  newest(updates: Updates): Promise<Uint8Array>
  stateVector(): Promise<Uint8Array>
  /** Returns the digest of its content (`documentDigest`). */
  digest(): Promise<Uint8Array | undefined>
  /** Whether a state vector belongs to another generation ({@link isOfOther}). */
  isOfOther(stateVector: Uint8Array): Promise<boolean>
  /** For a roster: returns the export file of the account ({@link exportedBytes}). */
  exported(beside: ExportedBeside): Promise<Uint8Array>
  /** Returns the update of a backend edit, which is not merged yet; `undefined` if the edit changes nothing. */
  madeEdit(edit: BackendEdit): Promise<MadeEdit | undefined>
  /** Returns users whom a roster has declined for so long that it may forget them if they are not registered (declined.ts). */
  longDeclined(lapsingDay: number): Promise<string[]>
  /** Returns the document of the next generation, if a refounding is due (due.ts) or forced. */
  found(founding: Founding): Promise<Founded | undefined>
  destroy(): void
}

/** A small document, merged in this thread. */
export class LocalDocument implements HostedDocument {
  readonly #name: DocumentName
  readonly #document: StoredDocument
  readonly #limits: Limits

  /** `parts`: snapshot and updates, as stored. */
  constructor(name: DocumentName, parts: readonly Uint8Array[], limits: Limits) {
    this.#name = name
    this.#document = new StoredDocument(name, parts)
    this.#limits = limits
  }

  get weight(): number {
    return this.#document.weight
  }

  get founder(): number {
    return this.#document.founder
  }

  hold(): void {
    // The cache bounds it: documents of an account with work stay.
  }

  release(): void {
    // Nothing was held.
  }

  async merge(updates: readonly Uint8Array[], context: MergeContext): Promise<Merged> {
    const merging = mergeUpdates(this.#name, this.#document, updates, this.#limits, context)
    for (;;) {
      const step = merging.next()
      if (step.done) return step.value
      await turnForSlice()
    }
  }

  async missing(stateVector: Uint8Array): Promise<Uint8Array | undefined> {
    return missingFrom(this.#document, stateVector)
  }

  async newest(updates: Updates): Promise<Uint8Array> {
    return newestOf(this.#document, updates)
  }

  async stateVector(): Promise<Uint8Array> {
    return Y.encodeStateVector(this.#document.doc)
  }

  async digest(): Promise<Uint8Array | undefined> {
    return documentDigest(this.#document.doc)
  }

  async isOfOther(stateVector: Uint8Array): Promise<boolean> {
    return isOfOther(this.#document, stateVector)
  }

  async exported(beside: ExportedBeside): Promise<Uint8Array> {
    return exportedBytes(this.#document, beside)
  }

  async madeEdit(edit: BackendEdit): Promise<MadeEdit | undefined> {
    return madeEdit(this.#document, edit)
  }

  async longDeclined(lapsingDay: number): Promise<string[]> {
    return longDeclined(this.#document.doc, lapsingDay)
  }

  async found(founding: Founding): Promise<Founded | undefined> {
    return foundIfDue(this.#name, this.#document, this.#limits, founding)
  }

  destroy(): void {
    this.#document.destroy()
  }
}
