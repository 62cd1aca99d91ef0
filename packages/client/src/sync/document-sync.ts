import { KithError } from '@kith/shared'
import type { RosterSync } from '@kith/shared/wire'
import * as Y from 'yjs'
import { rebase } from '../database/rebase.ts'
import { type RebuildOptions, type Rebuilt, rebuild } from '../database/rebuild.ts'
import type { DocumentName } from '../documents/name.ts'
import { deflate } from './deflate.ts'
import type { SessionPort } from './session-port.ts'

/** If a server sends changes with gaps more often than this, although it was asked for the missing ones, it lacks them. */
const mostIncomplete = 3

type Request =
  | { type: 'missing' }
  | { type: 'all'; build: (state: Uint8Array) => Promise<Rebuilt>; done: (rebuilt: Rebuilt) => void }

/**
 * The requests of this device for its own documents. A y-protocols sync step 1 requests what this device lacks; with an empty
 * state vector it requests everything, for a rebuild. The server answers in the order of the requests.
 */
export class DocumentSync {
  readonly #port: SessionPort
  readonly #requests: Record<DocumentName, Request[]> = { roster: [], profile: [] }
  #incompleteInARow = 0
  /** Whether the server accepts compressed updates of the roster. */
  mayDeflate = false

  constructor(port: SessionPort) {
    this.#port = port
  }

  /** Requests what this device lacks, unless such a request is already unanswered. */
  ask(document: DocumentName): void {
    if (this.#isAsking(document)) return
    const stateVector = Y.encodeStateVector(this.#port.store.documents[document].doc)
    this.#request(document, { type: 'missing' }, stateVector)
  }

  /** Requests what is missing in these documents, whose latest updates had gaps. */
  askMissing(documents: ReadonlySet<DocumentName>): void {
    // Until the server has answered, each change by another device of the user may have a gap.
    const answered = [...documents].filter(document => !this.#isAsking(document))
    if (documents.size === 0) this.#incompleteInARow = 0
    else if (answered.length > 0) this.#incompleteInARow++
    if (this.#incompleteInARow > mostIncomplete) throw new KithError('unavailable', 'The server sent changes with gaps')
    for (const document of answered) this.ask(document)
  }

  /**
   * Resolves when the document has been rebuilt on the server's state, with everything else that this device holds [D5][D6].
   * Reports the changes that the server does not accept.
   */
  rebuild(document: DocumentName, options: RebuildOptions): Promise<Rebuilt> {
    const { store, randomness } = this.#port
    return this.#build(document, state => rebuild(store, document, state, randomness, options))
  }

  /**
   * Resolves when the server's document, of another generation, has replaced this one, and the unsent changes were made again
   * on it.
   */
  rebase(document: DocumentName): Promise<Rebuilt> {
    const { store, randomness } = this.#port
    return this.#build(document, state => rebase(store, document, state, randomness))
  }

  async #build(document: DocumentName, build: (state: Uint8Array) => Promise<Rebuilt>): Promise<Rebuilt> {
    const { waiters, failed } = this.#port
    const rebuilt = await new Promise<Rebuilt>(resolve => {
      this.#request(document, { type: 'all', build, done: resolve }, Y.encodeStateVector(new Y.Doc()))
    })
    await waiters.renumber()
    for (const [index, { code, addresses }] of rebuilt.refused.entries()) {
      const message = `The server does not take a change of the ${document}; it stays on this device`
      const error = new KithError(code, message, addresses.length > 0 ? { addresses } : {})
      failed(error)
      if (index === 0) waiters.refuse(error)
    }
    return rebuilt
  }

  /** Handles the server's step 2. Resolves to `false` when it is to be handled like an ordinary update. */
  async answered(document: DocumentName, update: Uint8Array): Promise<boolean> {
    const request = this.#requests[document].shift()
    if (request?.type !== 'all') return false
    request.done(await request.build(update))
    return true
  }

  /**
   * Sends an update or a step 1. Compresses an update of the roster if that saves bytes. Resolves when the message was passed
   * to the socket; messages that must follow an update wait for that. A step 1 is passed to the socket synchronously.
   */
  async send(document: DocumentName, step: RosterSync['step'], payload: Uint8Array): Promise<void> {
    if (step !== 'step1' && document === 'roster' && this.mayDeflate) {
      const deflated = await deflate(payload)
      if (deflated) return this.#port.send({ type: 'deflatedRoster', size: payload.length, step, payload: deflated })
    }
    this.#port.send({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step, payload })
  }

  /** Whether a request for what this device lacks is unanswered. */
  #isAsking(document: DocumentName): boolean {
    return this.#requests[document].some(request => request.type === 'missing')
  }

  #request(document: DocumentName, request: Request, stateVector: Uint8Array): void {
    this.#requests[document].push(request)
    void this.send(document, 'step1', stateVector)
  }
}

/** Returns the state vector unchanged. Throws `unavailable` when it cannot be decoded. */
export function checkedStateVector(stateVector: Uint8Array): Uint8Array {
  try {
    Y.decodeStateVector(stateVector)
    return stateVector
  } catch (cause) {
    throw new KithError('unavailable', 'The server sent a state vector that cannot be read', { cause })
  }
}
