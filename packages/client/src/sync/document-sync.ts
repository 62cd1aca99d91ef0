import type { ClientMessage } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Randomness } from '../clock.ts'
import { type RebuildOptions, type Rebuilt, rebuild } from '../database/rebuild.ts'
import type { Store } from '../database/store.ts'
import type { DocumentName } from '../documents/name.ts'

type Request = { type: 'missing' } | { type: 'all'; options: RebuildOptions; done: (rebuilt: Rebuilt) => void }

/**
 * What this device asks of its own documents: by y-protocols' sync step 1, what it is missing; with an empty state vector,
 * everything, for a rebuild. The server answers in the order of asking.
 */
export class DocumentSync {
  readonly #store: Store
  readonly #randomness: Randomness
  readonly #send: (message: ClientMessage) => void
  readonly #requests: Record<DocumentName, Request[]> = { roster: [], profile: [] }

  constructor(store: Store, randomness: Randomness, send: (message: ClientMessage) => void) {
    this.#store = store
    this.#randomness = randomness
    this.#send = send
  }

  /** Asks for what this device lacks, unless it has asked and not been answered. */
  ask(document: DocumentName): void {
    if (this.isAsking(document)) return
    const stateVector = Y.encodeStateVector(this.#store.documents[document].doc)
    this.#request(document, { type: 'missing' }, stateVector)
  }

  /** Whether it has asked for what this device lacks, and the answer is still to come. */
  isAsking(document: DocumentName): boolean {
    return this.#requests[document].some(request => request.type === 'missing')
  }

  /** Resolves when the document is built upon the server's state, with all that this device holds besides [D5][D6]. */
  rebuild(document: DocumentName, options: RebuildOptions): Promise<Rebuilt> {
    return new Promise(resolve => {
      this.#request(document, { type: 'all', options, done: resolve }, Y.encodeStateVector(new Y.Doc()))
    })
  }

  /** The server's step 2. `false` when it is an update like any other. */
  async answered(document: DocumentName, update: Uint8Array): Promise<boolean> {
    const request = this.#requests[document].shift()
    if (request?.type !== 'all') return false
    request.done(await rebuild(this.#store, document, update, this.#randomness, request.options))
    return true
  }

  #request(document: DocumentName, request: Request, stateVector: Uint8Array): void {
    this.#requests[document].push(request)
    const type = document === 'roster' ? 'rosterSync' : 'ownProfile'
    this.#send({ type, step: 'step1', payload: stateVector })
  }
}
