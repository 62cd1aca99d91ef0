import type { BackendEdit, MadeEdit } from './backend-edit.ts'
import { EncodedFacts } from './encoded-facts.ts'
import type { ExportedBeside } from './exported.ts'
import type { Founded, Founding } from './founding.ts'
import type { HostedDocument } from './hosted-document.ts'
import type { MergeContext, Merged } from './merge.ts'
import type { MergeAnswer, MergeRequest } from './merge-messages.ts'
import type { Updates } from './missing.ts'

/** A Y.Doc of many small entries takes this many times its weight in memory (6.9 MB of roster: 135 MB of heap). */
const heapPerByte = 20

/** The subset of the merging thread that a document uses. */
export interface DocumentHost {
  /** Buffers of `owned` are transferred instead of copied. */
  ask(request: MergeRequest, owned?: readonly Uint8Array[]): Promise<Exclude<MergeAnswer, { error: string }>>
  /** A document was used. It is dropped last. Others are dropped first if it has grown beyond the available room. */
  noteUsed(document: RemoteDocument): void
  /** A document grows, or is about to grow. Others that are not in use are dropped. */
  noteGrowth(document: RemoteDocument): void
  forget(document: RemoteDocument): void
}

/** A large document, in the merging thread. */
export class RemoteDocument implements HostedDocument {
  readonly id: number
  readonly #thread: DocumentHost
  #weight: number
  #founder = 0
  /** The bytes that are about to be merged. */
  #moreBytes = 0
  #uses = 0
  #isGone = false

  constructor(thread: DocumentHost, id: number, weight: number) {
    this.#thread = thread
    this.id = id
    this.#weight = weight
  }

  get weight(): number {
    return this.#weight
  }

  get founder(): number {
    return this.#founder
  }

  get heapBytes(): number {
    return (this.#weight + this.#moreBytes) * heapPerByte
  }

  get isInUse(): boolean {
    return this.#uses > 0
  }

  /** The document must be loaded again: others needed its room, or the thread has ended. */
  get isGone(): boolean {
    return this.#isGone
  }

  hold(moreBytes: number): void {
    this.#uses++
    this.#moreBytes += moreBytes
    if (moreBytes > 0) this.#thread.noteGrowth(this)
  }

  release(): void {
    this.#uses--
    if (this.#uses === 0) this.#moreBytes = 0
    this.#thread.noteUsed(this)
  }

  async merge(updates: readonly Uint8Array[], context: MergeContext): Promise<Merged> {
    let answer = await this.#ask({ type: 'merge', document: this.id, updates, context }, updates)
    while (answer.goesOn) answer = await this.#ask({ type: 'continue', document: this.id })
    const { merged } = answer
    if (!merged) throw new Error('the merging thread gave no answer')
    const { roster, ...rest } = merged
    return roster ? { ...rest, roster: { ...roster, facts: new EncodedFacts(roster.facts) } } : rest
  }

  async missing(stateVector: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.#ask({ type: 'missing', document: this.id, stateVector })).bytes
  }

  async newest(updates: Updates): Promise<Uint8Array> {
    const { bytes } = await this.#ask({ type: 'newest', document: this.id, updates })
    return bytes as Uint8Array
  }

  async stateVector(): Promise<Uint8Array> {
    const { bytes } = await this.#ask({ type: 'stateVector', document: this.id })
    return bytes as Uint8Array
  }

  async digest(): Promise<Uint8Array | undefined> {
    return (await this.#ask({ type: 'digest', document: this.id })).bytes
  }

  async isOfOther(stateVector: Uint8Array): Promise<boolean> {
    return (await this.#ask({ type: 'isOfOther', document: this.id, stateVector })).isOfOther === true
  }

  async exported(beside: ExportedBeside): Promise<Uint8Array> {
    const { bytes } = await this.#ask({ type: 'exported', document: this.id, beside })
    return bytes as Uint8Array
  }

  async madeEdit(edit: BackendEdit): Promise<MadeEdit | undefined> {
    return (await this.#ask({ type: 'madeEdit', document: this.id, edit })).madeEdit
  }

  async longDeclined(lapsingDay: number): Promise<string[]> {
    return (await this.#ask({ type: 'longDeclined', document: this.id, lapsingDay })).users ?? []
  }

  async found(founding: Founding): Promise<Founded | undefined> {
    return (await this.#ask({ type: 'found', document: this.id, founding })).founded
  }

  async #ask(request: MergeRequest, owned?: readonly Uint8Array[]): Promise<Exclude<MergeAnswer, { error: string }>> {
    const answer = await this.#thread.ask(request, owned)
    this.#weight = answer.weight
    this.#founder = answer.founder
    return answer
  }

  destroy(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#thread.forget(this)
  }
}
