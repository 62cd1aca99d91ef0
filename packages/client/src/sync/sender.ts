import { type ErrorCode, founderOf, generationOf, KithError, namesRetired, retiredOf } from '@kith/shared'
import * as Y from 'yjs'
import {
  type Asked,
  acknowledge,
  nextShipment,
  type Shipment,
  type ShippingMode,
  sameThere,
} from '../database/outbox.ts'
import { isOfOtherGeneration } from '../database/rebase.ts'
import type { RebuildOptions, Rebuilt, Refusal } from '../database/rebuild.ts'
import type { Store } from '../database/store.ts'
import { type DocumentName, documentNames } from '../documents/name.ts'
import { type InFlight, mostFrameBytes, type Recovery } from './frame-sizes.ts'

/** The parts of the session that the sender uses. */
export interface SenderPort {
  readonly store: Store
  /** Whether the server's store is another one than this device last exchanged with, or an older state of it. */
  isRefill(): boolean
  maxBytes(document: DocumentName): number
  /** Resolves when the update was passed to the socket. */
  sendUpdate(document: DocumentName, step: 'step2' | 'update', update: Uint8Array): Promise<void>
  raiseBarrier(): Promise<boolean>
  /** Resolves when the rate limit permits another message. */
  pace(): Promise<void>
  /** Resolves after this time. */
  pause(ms: number): Promise<void>
  /** Rebuilds the document on the server's state, and reports the changes that do not fit. Resolves when that is done. */
  rebuild(document: DocumentName, options: RebuildOptions): Promise<Rebuilt>
  /** Replaces a document by the server's document of another generation, and makes the unsent changes again on it. */
  rebase(document: DocumentName): Promise<Rebuilt>
  /** Reports whether every unsent change has been acknowledged. */
  drained(isDrained: boolean): void
  /** A change was acknowledged, so a `whenSynced` may resolve. */
  progressed(): void
}

/**
 * This many refusals without an acknowledgement are handled without delay, as in a search for the refused change; then delays
 * begin.
 */
const freeRefusals = 12
const longestPauseMs = 60_000
/** A server that dropped updates which it had requested this often will continue to do so. */
const mostDrops = 5

/**
 * Sends what the server lacks, one shipment after the other: send, wait for the acknowledgement of the barrier, delete from the
 * outbox. So a profile edit is never sent before an earlier roster change is on the server's disk [D5][V6].
 */
export class Sender {
  readonly #port: SenderPort
  readonly #asked: Asked = {}
  readonly #refusals: Map<DocumentName, ErrorCode> = new Map()
  /** Step 1s that get an empty answer, after the unsent changes were sent as ordinary updates. */
  readonly #owedAnswers: Set<DocumentName> = new Set()
  readonly #removed: Set<DocumentName> = new Set()
  #isCareful = false
  #isRefill = false
  #hasSent = false
  readonly #held: ShippingMode['held']
  #wake: () => void = () => undefined
  #isWoken = false
  #isWelcome = false
  #refusalsInARow = 0
  #dropsInARow = 0

  readonly #recovering: Recovery | undefined
  /** Documents of which this device has stored what the server had at the beginning. */
  readonly #answered: Set<DocumentName> = new Set()
  readonly #same: Set<DocumentName> = new Set()
  /** Documents that are empty on the server, although a server had acknowledged content of them. */
  #filled: ReadonlySet<DocumentName> = new Set()
  #inFlight: InFlight | undefined

  /** Call this at the start of the session, before anything from the server is handled. */
  constructor(port: SenderPort, recovering: Recovery | undefined) {
    this.#port = port
    const { roster, profile } = port.store.documents
    this.#held = { roster: stateVectorOf(roster.doc), profile: stateVectorOf(profile.doc) }
    this.#recovering = recovering
  }

  /** The update on its way, which is too large if the server now closes with that code. */
  get inFlight(): InFlight | undefined {
    return this.#inFlight
  }

  /** The server has said that this device belongs to the present account [D7]. */
  welcomed(): void {
    this.#isWelcome = true
    this.wake()
  }

  /** Handles the server's step 1: its state vector of a document. */
  asked(document: DocumentName, stateVector: Uint8Array): void {
    this.#asked[document] = stateVector
    this.wake()
  }

  /** The server's content of a document is stored here. */
  answered(document: DocumentName): void {
    this.#answered.add(document)
    this.wake()
  }

  /**
   * The server holds what this device held at its hello. Later changes are unsent, and are sent as ordinary updates; the answer
   * to the server's step 1 is empty.
   */
  hasSame(document: DocumentName): void {
    this.#same.add(document)
    this.#answered.add(document)
    if (!this.#asked[document]) return
    delete this.#asked[document]
    this.#owedAnswers.add(document)
  }

  /** There may be something to send. */
  wake(): void {
    this.#isWoken = true
    this.#wake()
  }

  /** The server refused something that was sent since the last barrier. */
  refuse(document: DocumentName, code: ErrorCode): void {
    this.#refusals.set(document, code)
  }

  /** Runs until the session ends; then rejects. */
  async run(): Promise<never> {
    // Nothing is sent before the server has welcomed this device [D7] and said what it holds: the answer registers a new user
    // [F3].
    while (!this.#isWelcome || documentNames.some(name => this.#isUnknown(name))) await this.#woken()
    if (this.#port.isRefill()) this.#fill()
    for (const name of this.#same) await sameThere(this.#port.store, name)
    for (const name of documentNames) if (this.#isOfOther(name)) await this.#changeGeneration(name)
    if (this.#recovering) await this.#recover(this.#recovering)
    for (;;) {
      const next = await nextShipment(this.#port.store, this.#asked, this.#mode)
      if (!next) await this.#sendOwedAnswers()
      if (!next) this.#port.drained(true)
      if (!this.#asked.roster && !this.#asked.profile) this.#port.progressed()
      if (!next) await this.#rest()
      else if (next.type === 'clone') await this.#rebuild(next.document, undefined)
      else if (next.type === 'loss') this.#fill()
      else await this.#ship(next)
    }
  }

  get #mode(): ShippingMode {
    return {
      isFirst: !this.#hasSent,
      held: this.#held,
      isCareful: this.#isCareful,
      isRefill: this.#isRefill,
      removed: this.#removed,
      maxBytes: document => this.#port.maxBytes(document),
    }
  }

  /**
   * Whether the server has not said yet what it has of a document. Its state may bring back entries that this device knows to
   * be removed. Their removal must then be sent before the unsent changes; otherwise, an edit that was made after a revocation
   * would become visible [V6].
   */
  #isUnknown(name: DocumentName): boolean {
    if (this.#same.has(name)) return false
    return !this.#asked[name] || (this.#port.store.documents.known[name] !== undefined && !this.#answered.has(name))
  }

  #fill(): void {
    this.#isRefill = true
    this.#filled = new Set(documentNames.filter(name => this.#isEmpty(name)))
  }

  async #rest(): Promise<void> {
    this.#isCareful = false
    this.#isRefill = false
    await this.#woken()
  }

  async #ship(shipment: Shipment): Promise<void> {
    const { document, isAnswer, updates, seqs } = shipment
    this.#port.drained(false)
    this.#hasSent = true
    if (shipment.isRemovals) this.#removed.add(document)
    if (isAnswer) delete this.#asked[document]
    if (isAnswer) this.#owedAnswers.add(document)
    const last = updates.length - 1
    const areAheadWritten = await this.#sendTogether(document, updates.slice(0, last))
    for (const [index, update] of updates.entries()) {
      if (areAheadWritten && index < last) continue
      await this.#port.pace()
      // A user is registered once the whole roster is on disk, and not earlier [F3].
      const isStep2 = isAnswer && index === last
      if (isStep2) this.#owedAnswers.delete(document)
      this.#inFlight = { document, update }
      await this.#port.sendUpdate(document, isStep2 ? 'step2' : 'update', update)
      const isComplete = await this.#port.raiseBarrier()
      this.#inFlight = undefined
      if (!isComplete) return this.#incomplete(shipment)
      this.#dropsInARow = 0
    }
    await acknowledge(this.#port.store, shipment, this.#filled.has(document))
    if (seqs.length > 0) this.#refusalsInARow = 0
  }

  /**
   * Sends all pieces but the last without waiting in between, so that the server merges and writes many of them together.
   * Returns whether the server accepted all of them. If not, each piece is sent again, alone: this shows which piece is
   * refused, and a piece that the server already has changes nothing. A server that has refused something, or has closed
   * because of a large frame, gets one piece at a time.
   */
  async #sendTogether(document: DocumentName, pieces: readonly Uint8Array[]): Promise<boolean> {
    const isWary = this.#isCareful || this.#refusalsInARow > 0 || this.#port.maxBytes(document) < mostFrameBytes
    if (pieces.length < 2 || isWary) return false
    for (const update of pieces) {
      await this.#port.pace()
      // Of several pieces, only the largest can be the one that is too large.
      if (update.length > (this.#inFlight?.update.length ?? 0)) this.#inFlight = { document, update }
      await this.#port.sendUpdate(document, 'update', update)
    }
    const areAllWritten = await this.#port.raiseBarrier()
    this.#inFlight = undefined
    if (!areAllWritten) this.#refusals.clear()
    return areAllWritten
  }

  async #incomplete(shipment: Shipment): Promise<void> {
    const refusals = [...this.#refusals]
    this.#refusals.clear()
    if (refusals.length === 0) {
      // The server dropped it because it lacks predecessors of it, and has requested them meanwhile.
      this.#dropsInARow++
      if (!this.#asked[shipment.document] || this.#dropsInARow > mostDrops) {
        throw new KithError('unavailable', 'The server dropped a change')
      }
      this.#isRefill = true
    }
    for (const [refused, code] of refusals) await this.#refused(refused, code, shipment)
  }

  /** The answer for the roster registers a new user, so it is sent after all current changes of the roster [F3]. */
  async #sendOwedAnswers(): Promise<void> {
    for (const name of this.#owedAnswers) {
      this.#owedAnswers.delete(name)
      await this.#port.sendUpdate(name, 'step2', Uint8Array.of(0, 0))
    }
  }

  /** Begins with the server's state. Unsent changes are sent as ordinary updates, not in an answer. */
  async #recover({ document, refusal }: Recovery): Promise<void> {
    delete this.#asked[document]
    this.#owedAnswers.add(document)
    await this.#rebuild(document, refusal)
  }

  #isEmpty(name: DocumentName): boolean {
    const asked = this.#asked[name]
    return asked !== undefined && Y.decodeStateVector(asked).size === 0
  }

  /** Whether the server's document has another generation than this device's. If the server has none, this device fills it. */
  #isOfOther(name: DocumentName): boolean {
    const asked = this.#asked[name]
    if (!asked) return false
    const theirs = [...Y.decodeStateVector(asked).keys()]
    const { documents } = this.#port.store
    const own = [...documents[name].doc.store.clients.keys()]
    if (theirs.length === 0) return false
    if (own.length === 0) return isOfOtherGeneration(documents[name], theirs, documents.known[name])
    return founderOf(theirs) !== founderOf(own) || this.#isMixed(name)
  }

  /** Whether states of this device's database from before and after a refounding were merged. */
  #isMixed(name: DocumentName): boolean {
    const { doc } = this.#port.store.documents[name]
    return namesRetired(retiredOf(doc), doc.store.clients.keys())
  }

  /** Puts the document on the server's generation, with everything else in it; unsent changes are sent as ordinary updates. */
  async #changeGeneration(name: DocumentName): Promise<void> {
    const founder = founderOf(Y.decodeStateVector(this.#asked[name] as Uint8Array).keys())
    const own = founderOf(this.#port.store.documents[name].doc.store.clients.keys())
    delete this.#asked[name]
    this.#owedAnswers.add(name)
    this.#held[name] = new Map()
    // A server with an earlier generation was restored from a backup: it lacks content that this device holds [D6].
    if (generationOf(founder) > generationOf(own) || this.#isMixed(name)) await this.#port.rebase(name)
    else await this.#rebuild(name, undefined)
  }

  /** Waits longer after each refusal, up to a maximum. */
  async #refused(document: DocumentName, code: ErrorCode, { isAnswer, seqs }: Shipment): Promise<void> {
    this.#refusalsInARow++
    const slower = this.#refusalsInARow - freeRefusals
    if (slower > 0) await this.#port.pause(Math.min(longestPauseMs, 250 * 2 ** Math.min(slower, 16)))
    const [seq] = isAnswer || seqs.length !== 1 ? [] : seqs
    await this.#rebuild(document, { code, ...(seq !== undefined && { seq }) })
  }

  async #rebuild(document: DocumentName, refusal: Refusal | undefined): Promise<void> {
    const { isExplained } = await this.#port.rebuild(document, { refusal, isRosterFirst: this.#isRefill })
    // If the known limits of the server do not explain the refusal, sending one entry at a time finds the refused one.
    this.#isCareful = refusal !== undefined && !isExplained
  }

  async #woken(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#isWoken = false
  }
}

function stateVectorOf(doc: Y.Doc): Map<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc))
}
