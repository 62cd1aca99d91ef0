import { KithError } from '@kith/shared'
import type { RosterSync } from '@kith/shared/wire'
import * as Y from 'yjs'
import { rebase } from '../database/rebase.ts'
import { type RebuildOptions, type Rebuilt, rebuild } from '../database/rebuild.ts'
import type { DocumentName } from '../documents/name.ts'
import { deflate } from './deflate.ts'
import type { SessionPort } from './session-port.ts'

/** A server that sends changes with gaps again and again, though it was asked for what is missing, has not got it. */
const mostIncomplete = 3

type Request =
  | { type: 'missing' }
  | { type: 'all'; build: (state: Uint8Array) => Promise<Rebuilt>; done: (rebuilt: Rebuilt) => void }

/**
 * What this device asks of its own documents: by y-protocols' sync step 1, what it is missing; with an empty state vector,
 * everything, for a rebuild. The server answers in the order of asking.
 */
export class DocumentSync {
  readonly #port: SessionPort
  readonly #requests: Record<DocumentName, Request[]> = { roster: [], profile: [] }
  #incompleteInARow = 0
  /** The server takes compressed updates of the roster. */
  mayDeflate = false

  constructor(port: SessionPort) {
    this.#port = port
  }

  /** Asks for what this device lacks, unless it has asked and not been answered. */
  ask(document: DocumentName): void {
    if (this.#isAsking(document)) return
    const stateVector = Y.encodeStateVector(this.#port.store.documents[document].doc)
    this.#request(document, { type: 'missing' }, stateVector)
  }

  /** Asks for what is missing in these documents, whose latest updates came with gaps. */
  askMissing(documents: ReadonlySet<DocumentName>): void {
    // Until the server has answered, each change that another device of the user makes may have a gap.
    const answered = [...documents].filter(document => !this.#isAsking(document))
    if (documents.size === 0) this.#incompleteInARow = 0
    else if (answered.length > 0) this.#incompleteInARow++
    if (this.#incompleteInARow > mostIncomplete) throw new KithError('unavailable', 'The server sent changes with gaps')
    for (const document of answered) this.ask(document)
  }

  /**
   * Resolves when the document is built upon the server's state, with all that this device holds besides [D5][D6]. Reports
   * what the server does not take.
   */
  rebuild(document: DocumentName, options: RebuildOptions): Promise<Rebuilt> {
    const { store, randomness } = this.#port
    return this.#build(document, state => rebuild(store, document, state, randomness, options))
  }

  /** Resolves when the document is the server's, of another generation, with what is unsent made again upon it. */
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

  /** The server's step 2. `false` when it is an update like any other. */
  async answered(document: DocumentName, update: Uint8Array): Promise<boolean> {
    const request = this.#requests[document].shift()
    if (request?.type !== 'all') return false
    request.done(await request.build(update))
    return true
  }

  /**
   * Sends it; an update of the roster compressed, where that pays. Resolves when it is with the socket: what must come after
   * an update waits for that. A step 1 is with the socket at once.
   */
  async send(document: DocumentName, step: RosterSync['step'], payload: Uint8Array): Promise<void> {
    if (step !== 'step1' && document === 'roster' && this.mayDeflate) {
      const deflated = await deflate(payload)
      if (deflated) return this.#port.send({ type: 'deflatedRoster', size: payload.length, step, payload: deflated })
    }
    this.#port.send({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step, payload })
  }

  /** Whether it has asked for what this device lacks, and has no answer yet. */
  #isAsking(document: DocumentName): boolean {
    return this.#requests[document].some(request => request.type === 'missing')
  }

  #request(document: DocumentName, request: Request, stateVector: Uint8Array): void {
    this.#requests[document].push(request)
    void this.send(document, 'step1', stateVector)
  }
}

/** Returns it. Throws `unavailable` when it cannot be read. */
export function checkedStateVector(stateVector: Uint8Array): Uint8Array {
  try {
    Y.decodeStateVector(stateVector)
    return stateVector
  } catch (cause) {
    throw new KithError('unavailable', 'The server sent a state vector that cannot be read', { cause })
  }
}
