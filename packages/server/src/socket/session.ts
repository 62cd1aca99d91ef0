import { type CloseCode, closeCodeFor, closeCodes, type ErrorCode, encodeRetryHint } from '@kith/shared'
import { encodeFrame, type ServerMessage } from '@kith/shared/wire'
import type { Device } from '../device.ts'
import { Watch } from '../presence/subscription.ts'
import type { DocumentName } from '../relations/keys.ts'
import { Unwritable } from '../relations/unwritable.ts'
import { Feed } from '../relay/feed.ts'
import type { Identity } from '../tokens.ts'
import type { Context } from './context.ts'
import { forLook, forRelations, signInCost } from './cost.ts'
import { WaitingFollows } from './deferred-follows.ts'
import type { DeviceSocket } from './device-socket.ts'
import { Expiry } from './expiry.ts'
import type { Inbox, InboxPort } from './inbox.ts'
import { ownFrame } from './own-frames.ts'
import { Pings } from './pings.ts'
import type { UserRates } from './rate-limits.ts'
import { StallWatch } from './stall.ts'

/** How long a device that is to leave may take to get what it may see. */
const longestLeavingMs = 10_000

/** Below this a socket is no burden, whatever its user's other sockets are. */
const lightBytes = 256 * 1024

/** One device's websocket, from the sign-in to its end: what the server may send, and what its user may cost. */
export class Session implements Device {
  readonly user: string
  readonly context: Context
  readonly waiting: WaitingFollows = new WaitingFollows(this)
  readonly #socket: DeviceSocket
  readonly #rates: UserRates
  readonly #expiry: Expiry
  readonly #pings = new Pings()
  readonly #stall = new StallWatch()
  #inbox: Pick<Inbox<unknown>, 'isPaused' | 'end'> = { isPaused: false, end: () => undefined }
  /** Direct messages that were handed to this device and that it has not acknowledged. */
  #unacknowledged = 0
  #feed: Feed | undefined
  #watch: Watch | undefined
  #isClosed = false
  #hasArrived = false
  #onArrival: (hasArrived: boolean) => void = () => undefined
  readonly #arrival: Promise<boolean> = new Promise(resolve => {
    this.#onArrival = resolve
  })
  /** Nothing was refused or dropped since the last barrier. */
  #isComplete = true
  /** A sync step 1 of ours is unanswered. */
  #asked: Record<DocumentName, boolean> = { roster: false, profile: false }
  #hasAnswered: Record<DocumentName, boolean> = { roster: false, profile: false }
  /** The server is stopping: what comes now is for the next one. */
  #isDraining = false
  #isLeaving = false

  constructor(socket: DeviceSocket, identity: Identity, context: Context) {
    this.user = identity.user
    this.context = context
    this.#socket = socket
    this.#rates = context.rates.of(identity.user)
    this.#expiry = new Expiry(context.clock, () => this.close(closeCodes.unauthorised, 'the token has expired'))
    // One answer to each ping is asked for; all other control frames count as writes do.
    socket.on('pong', data => {
      if (!this.#pings.isAnswer(data) && !this.#isClosed) this.isWithinWrites()
    })
    socket.on('ping', () => {
      if (!this.#isClosed) this.isWithinWrites()
    })
    socket.on('unfinished', () => this.#boundUnfinished())
    this.renew(identity)
    // A socket error is followed by its close; the code tells why.
    socket.on('error', error => context.log.debug({ user: this.user, err: error }, 'socket error'))
    socket.on('close', () => this.#end())
  }

  /** Where the frames of this device wait for their turn. */
  readsFrom(inbox: Pick<Inbox<unknown>, 'isPaused' | 'end'>): void {
    this.#inbox = inbox
  }

  /** Frames that arrive now are still taken in. */
  get isReading(): boolean {
    return !this.#isClosed && !this.#isDraining
  }

  /** What the user owes before the next frame is handled [S3]. */
  get dues(): Pick<InboxPort<unknown>, 'waitMs' | 'turn' | 'backlog' | 'after'> {
    const { accounts, limits, clock } = this.context
    return {
      waitMs: () => this.#rates.work.debtMs,
      turn: () => this.#rates.turn.whenNext,
      backlog: () => accounts.backlog(this.user, 2 * limits.rosterBytes),
      after: (delayMs, task) => clock.after(delayMs, task),
    }
  }

  /** The server's first message is its sync step 1, at once. */
  begin(): void {
    this.charge(signInCost)
    this.context.relay.join(this)
    this.askFor('roster')
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get feed(): Feed | undefined {
    return this.#feed
  }

  /** The device speaks Kith's messages: from here on it gets them. */
  openFeed(): Feed {
    this.#feed = new Feed(this.user, this.context.relay, this, this.context.limits.outstandingBytes)
    return this.#feed
  }

  /** The device is welcome: from here on its user is online. */
  arrive(): void {
    if (this.#isClosed) return
    this.#hasArrived = true
    this.context.presence.came(this.user)
    this.#onArrival(true)
  }

  /** Whether the device was welcomed; resolves when that is known. */
  get arrived(): Promise<boolean> {
    return this.#arrival
  }

  get hasArrived(): boolean {
    return this.#hasArrived
  }

  /** Whose presence the device wants to know; absent until it has named somebody. */
  get watch(): Watch | undefined {
    return this.#watch
  }

  openWatch(feed: Feed): Watch {
    const { relay, presence, clock, limits } = this.context
    const port = { user: this.user, relay, presence, feed, clock, maxOutstandingBytes: limits.outstandingBytes }
    this.#watch ??= new Watch(port, this)
    return this.#watch
  }

  get outstandingBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return
    // A device that takes nothing for so long is better off with a new start; and it must not cost others the memory.
    if (this.#isBurden()) return this.close(closeCodes.unavailable, 'too slow')
    this.context.metrics.sentBytes.inc(frame.length)
    this.#stall.sent(frame.length)
    this.#socket.send(frame, { binary: true }, this.#onTaken)
  }

  get unfinishedBytes(): number {
    return this.#socket.unfinishedBytes ?? 0
  }

  /** Frames that are begun and not ended, on all sockets of the user together, take two rosters' worth at most [S3]. */
  #boundUnfinished(): void {
    if (this.#isClosed) return
    let bytes = 0
    for (const session of this.context.relay.sessionsOf(this.user)) bytes += session.unfinishedBytes
    if (bytes <= 2 * this.context.limits.rosterBytes) return
    this.close(closeCodes.unavailable, 'too much begun at once')
    // What has come of the frame is kept for as long as the connection is there.
    this.#socket.terminate()
  }

  /** Two rosters' worth wait on this socket, or four on all sockets of the user [S3]. */
  #isBurden(): boolean {
    const { answers, limits } = this.context
    const { outstandingBytes } = this
    if (outstandingBytes < lightBytes) return false
    return outstandingBytes > 2 * limits.rosterBytes || answers.outstandingOf(this.user) > 4 * limits.rosterBytes
  }

  #onTaken = (): void => {
    this.context.answers.changed(this.user)
    this.#feed?.onTaken()
    this.#watch?.onTaken()
  }

  say(message: ServerMessage): void {
    if (message.type === 'message') this.#unacknowledged++
    this.send(encodeFrame(message))
  }

  sendOwn(document: DocumentName, update: Uint8Array): void {
    if (document === 'roster' || this.#feed) this.send(ownFrame(document, update))
  }

  /** Charges what the server does for this session's user; what is beyond their means is paid before their next frame. */
  charge(units: number): void {
    this.#rates.work.spend(units)
  }

  /** Asks for what the device has and the server lacks; once, until it is answered. */
  askFor(document: DocumentName): void {
    const account = this.context.accounts.of(this.user)
    account.task(
      async () => this.resend(document, await account.stateVector(document), false),
      error => this.fail(error),
    )
  }

  resend(document: DocumentName, stateVector: Uint8Array, isDropped = true): void {
    if (isDropped) this.#isComplete = false
    if (this.#asked[document]) return
    this.#asked[document] = true
    const type = document === 'roster' ? 'rosterSync' : 'ownProfile'
    this.say({ type, step: 'step1', payload: stateVector })
  }

  answered(document: DocumentName): void {
    this.#asked[document] = false
    this.#hasAnswered[document] = true
  }

  /** Whether the device has said, in this session, what it has of a document. */
  hasAnswered(document: DocumentName): boolean {
    return this.#hasAnswered[document]
  }

  /** Takes nothing more in. */
  drain(): void {
    this.#isDraining = true
  }

  terminate(): void {
    this.#end()
    this.#socket.terminate()
  }

  /** A stock provider can't be told; its connection ends instead. */
  refuse(document: DocumentName, code: ErrorCode, what: string): void {
    this.#isComplete = false
    this.context.metrics.refused.inc({ code })
    if (this.#feed) this.say({ type: 'refused', document, code })
    else this.end(code, what)
  }

  looked(documentBytes: number): void {
    this.charge(forLook(documentBytes))
  }

  committed(relations: number): void {
    this.charge(forRelations(relations))
    this.waiting.check()
  }

  fail(error: unknown): void {
    this.#isComplete = false
    if (error instanceof Unwritable) return this.#leave(error)
    this.context.log.error({ user: this.user, err: error }, 'a session failed')
    this.close(closeCodes.unavailable, 'try again later')
  }

  /** What this device sent can't be stored now. It takes along what it may see, and comes back later. */
  #leave({ code, retryAfterMs = 0, reason }: Unwritable): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    // What comes after may build on what was not stored: a profile edit on the revocation before it [V6].
    this.drain()
    const close = (): void => this.close(closeCodes.unavailable, `${encodeRetryHint(code, retryAfterMs)} ${reason}`)
    if (!this.#feed) return close()
    this.#feed.whenCaughtUp(close)
    this.context.clock.after(longestLeavingMs, close)
  }

  /** It is about to be closed, since what its device sent could not be stored. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Whether all that was sent since the last call is on disk. */
  takeCompleteness(): boolean {
    const isComplete = this.#isComplete
    this.#isComplete = true
    return isComplete
  }

  /** From here on the session lasts as long as this token. */
  renew(identity: Identity): void {
    if (!this.#isClosed) this.#expiry.set(identity.expiresAtMs)
  }

  /** Ends the session because of what the device did. */
  end(code: ErrorCode, what: string): void {
    // A close reason has at most 123 bytes, or closing throws.
    this.close(closeCodeFor(code), `${code}: ${what}`.replace(/[^ -~]/g, '?').slice(0, 120))
  }

  close(code: CloseCode, reason: string): void {
    if (this.#isClosed) return
    this.context.metrics.closed.inc({ code: String(code) })
    this.#end()
    this.#socket.close(code, reason)
  }

  /** Keeps the connection in use, and ends it when the device is gone or does not read. */
  beat(heartbeat: Uint8Array): void {
    const { untakenBytes = this.#socket.bufferedAmount } = this.#socket
    if (this.#pings.isGone || this.#stall.beat(untakenBytes)) return this.terminate()
    // While the socket is not read, no answer can come.
    if (!this.#inbox.isPaused) this.#socket.ping(this.#pings.next())
    this.send(heartbeat)
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.end()
    this.#expiry.cancel()
    this.waiting.end()
    this.context.relay.leave(this)
    this.context.answers.changed(this.user)
    this.#watch?.close()
    if (this.#hasArrived) this.context.presence.left(this.user)
    this.#onArrival(this.#hasArrived)
  }

  /** Counts a message. Returns how long to wait when there are too many, in milliseconds; else 0. */
  takeMessage(): number {
    return this.#rates.messages.take()
  }

  /** Charges a frame that is handled now. */
  chargeFrame(units: number): void {
    this.charge(units)
    this.#rates.turn.spend(units)
  }

  /** Whether the device has a message to acknowledge. That costs nothing: those who sent the messages are bounded. */
  takeAcknowledgement(): boolean {
    if (this.#unacknowledged === 0) return false
    this.#unacknowledged--
    return true
  }

  /** Counts writes; beyond the limit the session ends. */
  isWithinWrites(count = 1): boolean {
    const retryAfterMs = this.#rates.writes.take(count)
    if (retryAfterMs > 0) this.close(closeCodes.overLimit, encodeRetryHint('too-many-writes', retryAfterMs))
    return retryAfterMs === 0
  }
}
