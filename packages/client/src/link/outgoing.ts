import { type ErrorCode, KithError } from '@kith/shared'
import { type DocumentName, documentNames } from '../storage/database.ts'
import { type Asked, acknowledge, nextShipment, type Shipment } from '../storage/outbox.ts'
import type { Refusal } from '../storage/rebuild.ts'
import type { Store } from '../storage/store.ts'

/** What sending needs of the session. */
export interface OutgoingPort {
  readonly store: Store
  sendUpdate(document: DocumentName, step: 'step2' | 'update', update: Uint8Array): void
  raiseBarrier(): Promise<boolean>
  /** Resolves when sending once more keeps within what the server takes. */
  pace(): Promise<void>
  /** Puts the server's state in place of the document; resolves when that is done. */
  rebuild(document: DocumentName, refusal: Refusal | undefined): Promise<void>
  /** Whether all that there was has been acknowledged. */
  drained(isDrained: boolean): void
  /** Something was acknowledged, so a `whenSynced` may be due. */
  progressed(): void
  refused(error: KithError): void
}

/** The server closed the socket rather than take what was sent; `refusal` tells which change it was, if that is known. */
export interface Recovery {
  document: DocumentName
  refusal: Refusal | undefined
}

/**
 * Sends what the server lacks, one shipment after the other: send, wait for the barrier, forget. So a profile edit never
 * leaves before a roster change made earlier is on the server's disk [D5][V6].
 */
export class Outgoing {
  readonly #port: OutgoingPort
  readonly #asked: Asked = {}
  readonly #refusals: Map<DocumentName, ErrorCode> = new Map()
  /** Step 1s that are answered with nothing, once what is unsent has gone one by one. */
  #owedAnswers: readonly DocumentName[] = []
  #isCareful = false
  #isForced = false
  #wake: () => void = () => undefined
  #isWoken = false
  #isWelcome = false

  readonly #recovering: Recovery | undefined
  #inFlight: Shipment | undefined

  constructor(port: OutgoingPort, recovering: Recovery | undefined) {
    this.#port = port
    this.#recovering = recovering
  }

  /** What to recover from, if the server closes now because something is too large. */
  get recovery(): Recovery | undefined {
    if (!this.#inFlight) return undefined
    const { document, seqs } = this.#inFlight
    const seq = this.#knownSeq(this.#inFlight)
    if (seq === undefined && seqs.length === 0) return undefined
    // A frame of one's own roster may be as large as the roster (S3).
    const code = document === 'roster' ? 'roster-too-large' : 'frame-too-large'
    return { document, refusal: seq === undefined ? undefined : { seq, code } }
  }

  /** The server has said that this device belongs to the present account [D7]. */
  welcomed(): void {
    this.#isWelcome = true
    this.wake()
  }

  /** The server's step 1: what it holds of a document. */
  asked(document: DocumentName, stateVector: Uint8Array): void {
    this.#asked[document] = stateVector
    this.wake()
  }

  /** There may be something to send. */
  wake(): void {
    this.#isWoken = true
    this.#wake()
  }

  /** Of what was sent since the last barrier, the server didn't admit something. */
  refuse(document: DocumentName, code: ErrorCode): void {
    this.#refusals.set(document, code)
  }

  /** Runs until the session ends, which makes it reject. */
  async run(): Promise<never> {
    // Nothing goes out before the server has welcomed this device [D7] and said what it holds: the answer registers a new
    // user [F3].
    while (!this.#isWelcome || !this.#asked.roster || !this.#asked.profile) await this.#woken()
    if (this.#recovering) await this.#recover(this.#recovering)
    for (;;) {
      const mode = { isCareful: this.#isCareful, isForced: this.#isForced }
      const next = await nextShipment(this.#port.store, this.#asked, mode)
      if (!next) this.#sendOwedAnswers()
      if (!next) this.#port.drained(true)
      if (!this.#asked.roster && !this.#asked.profile) this.#port.progressed()
      if (!next) await this.#rest()
      else if (next.type === 'clone') await this.#port.rebuild(next.document, undefined)
      else await this.#ship(next)
    }
  }

  async #rest(): Promise<void> {
    this.#isCareful = false
    this.#isForced = false
    await this.#woken()
  }

  async #ship(shipment: Shipment): Promise<void> {
    const { document, isAnswer, update, seqs } = shipment
    this.#port.drained(false)
    if (isAnswer) delete this.#asked[document]
    await this.#port.pace()
    this.#inFlight = shipment
    this.#send(document, isAnswer, update)
    const isComplete = await this.#port.raiseBarrier()
    this.#inFlight = undefined
    if (isComplete) {
      await acknowledge(this.#port.store, seqs)
      return
    }
    const refusals = [...this.#refusals]
    this.#refusals.clear()
    if (refusals.length === 0) {
      // It was dropped because the server lacks what it builds on: the server has asked again by now.
      if (!this.#asked[document]) throw new KithError('unavailable', 'The server dropped a change')
      this.#isForced = true
    }
    for (const [refused, code] of refusals) await this.#refused(refused, code, shipment)
  }

  /** The roster's answer registers a new user, so it comes after all that the roster says by now [F3]. */
  #sendOwedAnswers(): void {
    for (const name of this.#owedAnswers) this.#send(name, true, Uint8Array.of(0, 0))
    this.#owedAnswers = []
  }

  #send(document: DocumentName, isAnswer: boolean, update: Uint8Array): void {
    this.#port.sendUpdate(document, isAnswer ? 'step2' : 'update', update)
  }

  /** Begins with the server's state; what is unsent follows one by one, and not in an answer. */
  async #recover({ document, refusal }: Recovery): Promise<void> {
    this.#isCareful = true
    for (const name of documentNames) delete this.#asked[name]
    this.#owedAnswers = documentNames
    await this.#port.rebuild(document, refusal)
    if (refusal) this.#port.refused(new KithError(refusal.code, `A change of the ${document} is too large to send`))
  }

  /** The one entry that can be meant, when entries are sent one by one. */
  #knownSeq({ isAnswer, seqs }: Shipment): number | undefined {
    return this.#isCareful && !isAnswer && seqs.length === 1 ? seqs[0] : undefined
  }

  async #refused(document: DocumentName, code: ErrorCode, shipment: Shipment): Promise<void> {
    const seq = this.#knownSeq(shipment)
    const isCulpritUnknown = seq === undefined && shipment.seqs.length > 0
    this.#isCareful = true
    await this.#port.rebuild(document, seq === undefined ? undefined : { seq, code })
    if (!isCulpritUnknown) this.#port.refused(new KithError(code, `The server refused a change of the ${document}`))
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
