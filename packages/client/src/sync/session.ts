import { KithError } from '@kith/shared'
import { type ClientMessage, deflateWire, type ServerMessage } from '@kith/shared/wire'
import { asKithError } from '../database/failure.ts'
import { type EarlierFrames, type StoredFrame, storeFrames } from '../database/incoming-frames.ts'
import { type DocumentName, documentNames } from '../documents/name.ts'
import { Barriers, SessionEnded } from './barriers.ts'
import { checkedStateVector, DocumentSync } from './document-sync.ts'
import { Drained } from './drained.ts'
import { digestsOf, helloOf, readBefore } from './hello.ts'
import { Watching } from './presence-subscription.ts'
import { ProfileFetches } from './profile-fetches.ts'
import { RateLimiter } from './rate-limiter.ts'
import { Receiver } from './receiver.ts'
import { Sender, type SenderPort } from './sender.ts'
import { reportFailure } from './server-failure.ts'
import type { SessionPort } from './session-port.ts'
import { SyncState } from './sync-state.ts'
import { Timers } from './timers.ts'
import { WelcomeWait } from './welcome-wait.ts'

/**
 * One open socket, from the device's side:
 *
 *   open      hello, and step 1 of both documents; meanwhile the server's step 1 of both arrives
 *   syncing   our answers, then unsent changes; the server's answers, then the feed
 *   synced    nothing unsent, and caught up; later changes are exchanged in both directions
 *
 * Messages are handled strictly in the order of their arrival, and stored before anything is answered.
 */
export class Session {
  readonly #port: SessionPort
  readonly #barriers: Barriers
  readonly #exchange: DocumentSync
  readonly #outgoing: Sender
  readonly #incoming: Receiver
  readonly #fetches: ProfileFetches
  readonly #watching: Watching
  readonly #state: SyncState
  readonly #drained: Drained
  readonly #timers: Timers
  readonly #welcomeWait: WelcomeWait
  #introduce: () => void = () => undefined
  /** The server does not know this device's position in the feed: its store is another one, or older. */
  #isForgotten = false
  #hadCursor = false
  #started: Promise<void> = Promise.resolve()
  /** This device has synced with an account before. */
  #isKnown = false
  #isWelcome = false
  #hasEnded = false
  readonly #earlier: EarlierFrames = { outdated: new Set(), joined: new Set() }
  /** Documents that are requested only if the server holds something else. */
  #compared: DocumentName[] = []

  constructor(port: SessionPort) {
    this.#port = port
    this.#timers = new Timers(port.clock)
    const send = (message: ClientMessage): void => port.send(message)
    this.#barriers = new Barriers(send)
    this.#welcomeWait = new WelcomeWait(port)
    this.#exchange = new DocumentSync(port)
    this.#state = new SyncState(port)
    const pace = new RateLimiter(port.clock)
    const introduced = new Promise<void>(resolve => {
      this.#introduce = resolve
    })
    this.#fetches = new ProfileFetches({
      ...{ clock: port.clock, pace, introduced, send },
      raiseBarrier: () => this.#barriers.raise(true),
    })
    this.#watching = new Watching({ pace, send, show: known => port.showPresence(known) })
    this.#drained = new Drained(port, this.#barriers, this.#fetches)
    this.#incoming = new Receiver({ store: frames => this.#store(frames), handle: message => this.#handle(message) })
    const outgoing: SenderPort = {
      store: port.store,
      sendUpdate: (document, step, update) => this.#exchange.send(document, step, update),
      raiseBarrier: () => this.#barriers.raise(false),
      pace: () => pace.take(2), // The update and its barrier.
      isRefill: () => this.#isForgotten,
      maxBytes: document => port.frameSizes.most(document, port.store.documents.limits),
      pause: ms => this.#timers.pause(ms),
      rebuild: (document, options) => this.#exchange.rebuild(document, options),
      rebase: document => this.#exchange.rebase(document),
      drained: isDrained => {
        this.#state.isDrained = isDrained
        this.#showStatus()
      },
      progressed: () => {
        this.#introduce()
        this.#unlessEnded(this.#drained.progress(work => this.#unlessEnded(work)))
      },
    }
    this.#outgoing = new Sender(outgoing, port.recovery)
  }

  /** Sends the hello. Everything else is a reaction to the server's messages. */
  start(owners: () => Iterable<string>): Promise<void> {
    this.#started = this.#start(owners)
    return this.#started
  }

  async #start(owners: () => Iterable<string>): Promise<void> {
    const { store } = this.#port
    await store.refresh()
    const before = await readBefore(store)
    if (this.#hasEnded) return
    this.#isKnown = before.incarnation !== undefined
    this.#hadCursor = before.cursor.length > 0
    const mayCompare = this.#port.isVersioned && this.#isKnown && this.#hadCursor && !this.#port.recovery
    const holds = mayCompare ? digestsOf(store.documents) : {}
    this.#compared = documentNames.filter(name => holds[name])
    const [hello, rest] = helloOf(before, owners(), this.#port.isVersioned, holds)
    for (const owner of hello.owners ?? []) this.#fetches.sent(owner)
    this.#port.send(hello)
    this.#welcomeWait.begin()
    for (const name of documentNames) if (!holds[name]) this.#exchange.ask(name)
    if (this.#hadCursor) this.#introduce()
    for (const owner of rest) this.#unlessEnded(this.#fetches.fetch(owner))
    this.#unlessEnded(this.#watching.start())
    this.#showStatus()
    this.#unlessEnded(this.#outgoing.run())
  }

  /** Handles a message; `bytes` is the size of its frame. */
  take(message: ServerMessage, bytes: number): void {
    this.#welcomeWait.arrived(message.type, bytes)
    if (this.#hasEnded) return
    // Immediately, even while frames are being stored: the server closes after this, and queued frames are then dropped.
    if (message.type === 'welcome' && message.isErased) this.#accountErased()
    else this.#unlessEnded(this.#incoming.push(message, bytes))
  }

  /** From now on nothing is sent, and nothing stored [D7]. */
  #accountErased(): void {
    if (this.#hasEnded) return
    if (!this.#isKnown) {
      this.#port.broken(new KithError('protocol-violation', 'An account was erased that this device never had'))
      return
    }
    this.end()
    this.#port.accountErased()
  }

  /** There may be something to send. */
  wake(): void {
    this.#outgoing.wake()
    if (!this.#isWelcome) return
    this.#port.privacy.check(this.#port.store.documents.roster.view)
    this.#showStatus()
  }

  /** Sends the waiting messages. */
  flush(): void {
    if (this.#isWelcome) this.#port.messages.flush(message => this.#port.send(message))
  }

  /** Resolves when the server has handed over this owner's visible profile, or at the timeout. */
  async fetch(owner: string): Promise<void> {
    await this.#started.catch(() => undefined) // The caller of `start` handles the error.
    if (!this.#hasEnded) await this.#fetches.fetch(owner)
  }

  /** Watches the presence of these users only. */
  watch(users: readonly string[]): void {
    this.#unlessEnded(this.#watching.want(users))
  }

  /** The update on its way, if this session ends because something was too large. */
  get inFlight(): Sender['inFlight'] {
    return this.#outgoing.inFlight
  }

  get isSynced(): boolean {
    return this.#state.isSynced
  }

  end(): void {
    this.#hasEnded = true
    this.#welcomeWait.end()
    this.#port.messages.interrupt()
    this.#incoming.end()
    this.#barriers.end(new SessionEnded('The connection is gone'))
    this.#fetches.end()
    this.#watching.end()
    this.#timers.end()
  }

  async #store(taken: readonly StoredFrame[]): Promise<void> {
    const { store, randomness } = this.#port
    const frames = this.#isWelcome ? taken : this.#welcomeWait.release(taken)
    if (frames.length === 0) return
    const { incomplete, cloned } = await storeFrames(store, frames, randomness, this.#earlier)
    this.#exchange.askMissing(incomplete)
    // Another device may have admitted again a user whose replica this device dropped. Even if nothing else is unsent, the
    // server must be asked for it, since it may have seen no change [F1].
    if (frames.some(({ type }) => type === 'rosterSync')) this.#outgoing.wake()
    for (const document of cloned) {
      // The sender may be idle, and is not notified of the changes that the rebuild put into the outbox.
      this.#unlessEnded(this.#exchange.rebuild(document, {}).then(() => this.wake()))
    }
    for (const frame of frames) {
      if (frame.type === 'welcome') {
        // The device belongs to the present account, and this is stored on its disk [D7]: from now on it sends its data.
        this.#isForgotten = frame.isFresh && this.#hadCursor
        this.#isWelcome = true
        this.#exchange.mayDeflate = (frame.understands?.wire ?? 1) >= deflateWire
        this.#compare(frame.understands?.same ?? [])
        this.#port.privacy.welcomed(frame.understands?.privacy)
        this.#port.welcomed()
        this.#outgoing.welcomed()
        this.flush()
      }
      if (frame.type === 'access') this.#fetches.answered(frame.owner, frame.levels.length > 0)
      if (frame.type === 'caughtUp') this.#state.isCaughtUp = true
    }
    if (this.#isWelcome) this.#port.privacy.check(store.documents.roster.view)
    this.#showStatus()
  }

  /** Documents that are the same on the server are not exchanged. The others are exchanged from now on. */
  #compare(same: readonly DocumentName[]): void {
    for (const name of this.#compared.splice(0)) {
      if (same.includes(name)) this.#outgoing.hasSame(name)
      else this.#exchange.ask(name)
    }
  }

  async #handle(message: ServerMessage): Promise<void> {
    switch (message.type) {
      case 'rosterSync':
      case 'ownProfile': {
        const document = message.type === 'rosterSync' ? 'roster' : 'profile'
        if (message.step === 'step1') this.#outgoing.asked(document, checkedStateVector(message.payload))
        else if (await this.#exchange.answered(document, message.payload)) this.#earlier.outdated.delete(document)
        else {
          await this.#store([{ ...message, step: 'step2' }])
          if (message.step === 'step2') this.#outgoing.answered(document)
        }
        return
      }
      case 'reached':
        this.#barriers.reached(message.id, message.isComplete)
        return
      case 'refused':
        this.#outgoing.refuse(message.document, message.code)
        return
      case 'message':
        await this.#port
          .received({ from: message.from, text: message.text, id: message.id })
          .catch((error: unknown) => {
            // The app has the message, although the automatic follow could not be stored.
            const failure = asKithError(error, 'database-failed')
            if (failure.code !== 'closed') this.#port.failed(failure)
          })
        this.#port.send({ type: 'received', id: message.id, from: message.from })
        return
      case 'outcome':
        this.#port.messages.outcome(message)
        return
      case 'presence':
        this.#watching.heard(message.owner, message.state)
        return
      case 'failure':
        reportFailure(message, this.#fetches, this.#timers, this.#port.failed)
        return
      default: // The heartbeat, and messages that were stored.
    }
  }

  #showStatus(): void {
    if (!this.#hasEnded) this.#state.show()
  }

  #unlessEnded(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#hasEnded && !(error instanceof SessionEnded)) this.#port.broken(error)
    })
  }
}
