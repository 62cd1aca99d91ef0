import { KithError } from '@kith/shared'
import { type ClientMessage, maxHelloOwners, type ServerMessage } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Status } from '../api/events.ts'
import { dropHidden, type StoredFrame, storeFrames } from '../database/incoming-frames.ts'
import { droppedAndWanted } from '../database/pending-refetches.ts'
import type { RebuildOptions, Rebuilt } from '../database/rebuild.ts'
import { readMeta } from '../database/schema.ts'
import { fetchedOwners } from '../device/prepare.ts'
import type { DocumentName } from '../documents/name.ts'
import { Barriers, SessionEnded } from './barriers.ts'
import type { OutgoingMessages } from './direct-messages.ts'
import { DocumentSync } from './document-sync.ts'
import type { FrameSizes } from './frame-sizes.ts'
import type { LinkHost } from './host.ts'
import { Watching } from './presence-subscription.ts'
import { ProfileFetches } from './profile-fetches.ts'
import { RateLimiter } from './rate-limiter.ts'
import { Receiver } from './receiver.ts'
import { type Recovery, Sender, type SenderPort } from './sender.ts'
import type { SyncWaiters } from './sync-waiters.ts'
import { WelcomeWait } from './welcome-wait.ts'

/** A server that sends changes with gaps again and again, though it was asked for what is missing, has not got it. */
const mostIncomplete = 3

/** What a session needs of the connection that holds it. */
export interface SessionPort extends LinkHost {
  readonly waiters: SyncWaiters
  readonly messages: OutgoingMessages
  /** What the session before failed at. */
  readonly recovery: Recovery | undefined
  readonly frameSizes: FrameSizes
  send(message: ClientMessage): void
  welcomed(): void
  /** All that can be exchanged is: only what was refused is unsent. */
  settled(): void
  /** It can't go on: the socket is to be closed. */
  broken(error: unknown): void
}

/**
 * One open socket, from the device's side:
 *
 *   open      hello, and step 1 of both documents; the server's step 1 of both comes meanwhile
 *   syncing   our answers, then unsent changes; the server's answers, then the feed
 *   synced    nothing unsent, and caught up; both ways go on as changes come
 *
 * What comes is taken strictly in its order, and stored before anything is answered.
 */
export class Session {
  readonly #port: SessionPort
  readonly #barriers: Barriers
  readonly #exchange: DocumentSync
  readonly #outgoing: Sender
  readonly #incoming: Receiver
  readonly #fetches: ProfileFetches
  readonly #watching: Watching
  readonly #cancels: Set<() => void> = new Set()
  /** Which database it began in. */
  #writer: string | undefined
  #introduce: () => void = () => undefined
  /** The server doesn't know how far this device had come: its store is another, or an older one. */
  #isForgotten = false
  #hadCursor = false
  #incompleteInARow = 0
  #isCaughtUp = false
  #isDrained = false
  #shown: Status | undefined
  #started: Promise<void> = Promise.resolve()
  #settled: Promise<void> | undefined
  /** This device has synced with an account before. */
  #isKnown = false
  #isWelcome = false
  readonly #welcomeWait: WelcomeWait
  #hasEnded = false

  constructor(port: SessionPort) {
    this.#port = port
    const send = (message: ClientMessage): void => port.send(message)
    this.#barriers = new Barriers(send)
    this.#welcomeWait = new WelcomeWait({
      clock: port.clock,
      rosterBytes: () => port.store.documents.limits.rosterBytes,
      failed: error => port.broken(error),
    })
    this.#exchange = new DocumentSync(port.store, port.randomness, send)
    const pace = new RateLimiter(port.clock)
    const introduced = new Promise<void>(resolve => {
      this.#introduce = resolve
    })
    this.#fetches = new ProfileFetches({
      ...{ clock: port.clock, pace, introduced, send },
      raiseBarrier: () => this.#barriers.raise(true),
    })
    this.#watching = new Watching({ pace, send, show: known => port.showPresence(known) })
    this.#incoming = new Receiver({ store: frames => this.#store(frames), handle: message => this.#handle(message) })
    const outgoing: SenderPort = {
      store: port.store,
      sendUpdate: (document, step, payload) => {
        send({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step, payload })
      },
      raiseBarrier: () => this.#barriers.raise(false),
      pace: () => pace.take(2), // The update, and its barrier.
      isRefill: () => this.#isForgotten,
      maxBytes: document => this.#maxBytes(document),
      pause: ms => this.#pause(ms),
      rebuild: (document, options) => this.#rebuild(document, options),
      drained: isDrained => {
        this.#isDrained = isDrained
        this.#showStatus()
      },
      progressed: () => this.#unlessEnded(this.#progress()),
    }
    this.#outgoing = new Sender(outgoing, port.recovery)
  }

  /** Says hello; the rest follows from what the server says. */
  start(owners: () => Iterable<string>): Promise<void> {
    this.#started = this.#start(owners)
    return this.#started
  }

  async #start(owners: () => Iterable<string>): Promise<void> {
    await this.#port.store.refresh()
    this.#writer = this.#port.store.documents.writer
    const cursor = (await readMeta(this.#port.store.db, 'cursor')) ?? new Uint8Array()
    const incarnation = await readMeta(this.#port.store.db, 'incarnation')
    this.#isKnown = incarnation !== undefined
    this.#hadCursor = cursor.length > 0
    if (this.#hasEnded) return
    const looked = [...new Set([...(await fetchedOwners(this.#port.store.db)), ...owners()])]
    if (this.#hasEnded) return
    // The server shows nothing yet to a new user.
    const again = cursor.length > 0 ? looked.slice(0, maxHelloOwners) : []
    for (const owner of again) this.#fetches.sent(owner)
    this.#port.send({
      type: 'hello',
      ...{ version: 1, cursor },
      ...(incarnation && { incarnation }),
      ...(again.length > 0 && { owners: again }),
    })
    this.#welcomeWait.begin()
    this.#exchange.ask('roster')
    this.#exchange.ask('profile')
    if (cursor.length > 0) this.#introduce()
    for (const owner of looked.slice(again.length)) this.#unlessEnded(this.#fetches.fetch(owner))
    this.#unlessEnded(this.#watching.start())
    this.#showStatus()
    this.#unlessEnded(this.#outgoing.run())
  }

  /** Takes a message that arrived in a frame of so many bytes. */
  take(message: ServerMessage, bytes: number): void {
    this.#welcomeWait.arrived(message.type, bytes)
    if (this.#hasEnded) return
    // At once, also while frames are being stored: the server closes after this, and frames that wait are then dropped.
    if (message.type === 'welcome' && message.isErased) this.#accountErased()
    else this.#unlessEnded(this.#incoming.push(message, bytes))
  }

  /** Nothing is sent from here on, and nothing stored [D7]. */
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
    if (this.#isWelcome) this.#showStatus()
  }

  /** The device belongs to the present account, which is on its disk [D7]: from here on it sends what it holds. */
  #welcomed(): void {
    this.#isWelcome = true
    this.#port.welcomed()
    this.#outgoing.welcomed()
    this.flush()
  }

  /** Sends the messages that wait. */
  flush(): void {
    if (this.#isWelcome) this.#port.messages.flush(message => this.#port.send(message))
  }

  /** Resolves when the server has handed over what this owner shows, or when that takes too long. */
  async fetch(owner: string): Promise<void> {
    await this.#started.catch(() => undefined) // Whoever started it hears of that.
    if (!this.#hasEnded) await this.#fetches.fetch(owner)
  }

  /** Watches the presence of these users only. */
  watch(users: readonly string[]): void {
    this.#unlessEnded(this.#watching.want(users))
  }

  /** What was on its way, if this session ends because something was too large. */
  get inFlight(): Sender['inFlight'] {
    return this.#outgoing.inFlight
  }

  /** It began in another database than there is now, so what it is told does not follow upon what that holds. */
  get isOutdated(): boolean {
    return this.#writer !== undefined && this.#writer !== this.#port.store.documents.writer
  }

  get isSynced(): boolean {
    return this.#isCaughtUp && this.#isDrained
  }

  end(): void {
    this.#hasEnded = true
    this.#welcomeWait.end()
    this.#incoming.end()
    this.#barriers.end(new SessionEnded('The connection is gone'))
    this.#fetches.end()
    this.#watching.end()
    for (const cancel of this.#cancels) cancel()
  }

  async #store(taken: readonly StoredFrame[]): Promise<void> {
    const { store, randomness } = this.#port
    const frames = this.#isWelcome ? taken : this.#welcomeWait.release(taken)
    if (frames.length === 0) return
    const { incomplete, cloned } = await storeFrames(store, frames, this.#writer, randomness)
    // Until the server has answered, each change that another device of the user makes may have a gap.
    const answered = [...incomplete].filter(document => !this.#exchange.isAsking(document))
    if (incomplete.size === 0) this.#incompleteInARow = 0
    else if (answered.length > 0) this.#incompleteInARow++
    if (this.#incompleteInARow > mostIncomplete) throw new KithError('unavailable', 'The server sent changes with gaps')
    for (const document of answered) this.#exchange.ask(document)
    for (const document of cloned) this.#unlessEnded(this.#rebuildCloned(document))
    for (const frame of frames) {
      if (frame.type === 'welcome') {
        this.#isForgotten = frame.isFresh && this.#hadCursor
        this.#welcomed()
      }
      if (frame.type === 'access') this.#fetches.answered(frame.owner, frame.levels.length > 0)
      if (frame.type === 'caughtUp') this.#isCaughtUp = true
    }
    this.#showStatus()
  }

  async #handle(message: ServerMessage): Promise<void> {
    switch (message.type) {
      case 'rosterSync':
      case 'ownProfile': {
        const document = message.type === 'rosterSync' ? 'roster' : 'profile'
        if (message.step === 'step1') this.#asked(document, message.payload)
        else if (!(await this.#exchange.answered(document, message.payload))) {
          await this.#store([{ ...message, step: 'step2' }])
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
        await this.#port.received({ from: message.from, text: message.text, id: message.id })
        this.#port.send({ type: 'received', id: message.id, from: message.from })
        return
      case 'outcome':
        this.#port.messages.outcome(message)
        return
      case 'presence':
        this.#watching.heard(message.owner, message.state)
        return
      case 'failure':
        this.#failed(message)
        return
      default: // The heartbeat, and what was stored.
    }
  }

  #asked(document: DocumentName, stateVector: Uint8Array): void {
    try {
      Y.decodeStateVector(stateVector)
    } catch (cause) {
      throw new KithError('unavailable', 'The server sent a state vector that cannot be read', { cause })
    }
    this.#outgoing.asked(document, stateVector)
  }

  /** The sender may be idle, and does not notice the changes that the rebuild put into the outbox. */
  async #rebuildCloned(document: DocumentName): Promise<void> {
    await this.#rebuild(document, {})
    this.wake()
  }

  async #rebuild(document: DocumentName, options: RebuildOptions): Promise<Rebuilt> {
    const rebuilt = await this.#exchange.rebuild(document, options)
    await this.#port.waiters.renumber()
    for (const [index, { code, addresses }] of rebuilt.refused.entries()) {
      const message = `The server does not take a change of the ${document}; it stays on this device`
      const error = new KithError(code, message, addresses.length > 0 ? { addresses } : {})
      this.#port.failed(error)
      if (index === 0) this.#port.waiters.refuse(error)
    }
    return rebuilt
  }

  /** A frame of one's own roster may be as large as the roster [S3]. */
  #maxBytes(document: DocumentName): number {
    const most = this.#port.frameSizes.most(document)
    return document === 'roster' ? Math.min(most, this.#port.store.documents.limits.rosterBytes) : most
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#port.clock.after(ms, () => {
        this.#cancels.delete(cancel)
        resolve()
      })
      this.#cancels.add(cancel)
    })
  }

  /** All that was unsent at some moment is on the server's disk. */
  async #progress(): Promise<void> {
    this.#introduce()
    this.#settled ??= this.#settle()
    await this.#settled
    const { store } = this.#port
    for (const [owner, drop] of await droppedAndWanted(store)) {
      const fetchAnew = async (): Promise<void> => {
        if (await this.#fetches.again(owner)) await store.work(async ({ people }) => people.settleDrop(owner, drop))
      }
      this.#unlessEnded(fetchAnew())
    }
    await this.#fetches.answeredAgain()
    await this.#port.waiters.progress(() => this.#barriers.raise(true))
  }

  /** Once a session: what a feed that began from the start did not repeat is dropped [V7]. */
  async #settle(): Promise<void> {
    const { store } = this.#port
    if (!(await readMeta(store.db, 'hasHidden'))) return
    await this.#barriers.raise(true)
    await dropHidden(store)
  }

  #failed(failure: Extract<ServerMessage, { type: 'failure' }>): void {
    const { code, retryAfterMs, count, addresses } = failure
    if (code !== 'too-many-watched') for (const owner of addresses) this.#fetches.answered(owner, false)
    const retry = retryAfterMs > 0 ? { retryAfterMs } : {}
    this.#port.failed(new KithError(code, `The server left ${count} undone: ${code}`, { ...retry, addresses }))
    if ((code !== 'discovery-limit' && code !== 'unavailable') || retryAfterMs === 0) return
    const cancel = this.#port.clock.after(retryAfterMs, () => {
      this.#cancels.delete(cancel)
      for (const owner of addresses) void this.#fetches.again(owner)
    })
    this.#cancels.add(cancel)
  }

  #showStatus(): void {
    if (this.#hasEnded) return
    if (this.isSynced) this.#port.settled()
    const status = this.isSynced && this.#port.store.unsent === 0 ? 'synced' : 'syncing'
    if (status === this.#shown) return
    this.#shown = status
    this.#port.setStatus(status)
  }

  #unlessEnded(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#hasEnded && !(error instanceof SessionEnded)) this.#port.broken(error)
    })
  }
}
