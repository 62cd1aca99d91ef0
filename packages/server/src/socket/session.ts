import { type CloseCode, closeCodeFor, closeCodes, type ErrorCode, encodeRetryHint } from '@kith/shared'
import { type DeviceMessage, decodeFrame, encodeFrame, isYProtocols, type ServerMessage } from '@kith/shared/wire'
import type { Writer } from '../accounts/account.ts'
import { Feed } from '../relay/feed.ts'
import type { Outlet } from '../relay/outlet.ts'
import type { Receiver } from '../relay/relay.ts'
import { Watch } from '../relay/watch.ts'
import type { DocumentName } from '../store/keys.ts'
import { Unwritable } from '../store/unwritable.ts'
import type { Identity } from '../tokens.ts'
import type { Context } from './context.ts'
import { costOf, forLook, forRelations, signInCost } from './cost.ts'
import { refuse } from './direct-messages.ts'
import { handle } from './handle.ts'
import { Inbox } from './inbox.ts'
import type { UserRates } from './rates.ts'
import { StallWatch } from './stall.ts'
import { WaitingFollows } from './waiting-follows.ts'

const deviceMessages: ReadonlySet<string> = new Set<DeviceMessage['type']>([
  'rosterSync',
  'awareness',
  'queryAwareness',
  'hello',
  'ownProfile',
  'barrier',
  'fetch',
  'sendMessage',
  'received',
  'renew',
  'watch',
])

/** Type, step and length of a y-protocols message: a roster of just the limit's size still fits. */
const maxSyncHeaderBytes = 16

/** Timers of a much longer time would end at once. */
const longestTimerMs = 24 * 60 * 60 * 1000

/** How long a device that is to leave may take to get what it may see. */
const longestLeavingMs = 10_000

/** A device that has answered none of so many pings is gone. */
const mostUnansweredPings = 2

/** As much of a websocket of `ws` as a session needs. */
export interface DeviceSocket {
  /** Bytes handed over that the network has not taken. */
  readonly bufferedAmount: number
  /** As `bufferedAmount`, and what the system's own buffers have not accepted of it; where that can't be known, the same. */
  readonly untakenBytes?: number
  /** Bytes of frames that have not come as a whole; where that can't be known, absent. */
  readonly unfinishedBytes?: number
  on(event: 'message', heard: (data: Buffer, isBinary: boolean) => void): unknown
  on(event: 'pong', heard: (data: Buffer) => void): unknown
  /** `unfinished`: more has come of a large frame that is not whole yet. */
  on(event: 'ping' | 'close' | 'unfinished', heard: () => void): unknown
  on(event: 'error', heard: (error: Error) => void): unknown
  /** `taken` is called when the network has taken the frame, or never will. */
  send(frame: Uint8Array, options: { binary: true }, taken: () => void): void
  /** The peer answers with a pong of the same data. */
  ping(data: Buffer): void
  /** Reads nothing more from the network until `resume`. Frames that it has read already may still come. */
  pause(): void
  resume(): void
  close(code: number, reason: string): void
  /** Ends it without a word. */
  terminate(): void
}

/** A frame that waits for its turn, and what it costs. */
interface Arrived {
  message: DeviceMessage
  cost: number
}

/** Below this a socket is no burden, whatever its user's other sockets are. */
const lightBytes = 256 * 1024

/**
 * One device's websocket, from the sign-in on. A frame is bounded, counted, decoded, charged and only then handled; whatever
 * is wrong with it ends this session with a code, and no other [S1][S3].
 */
export class Session implements Receiver, Writer, Outlet {
  readonly user: string
  readonly context: Context
  readonly waiting: WaitingFollows = new WaitingFollows(this)
  readonly #socket: DeviceSocket
  readonly #rates: UserRates
  readonly #inbox: Inbox<Arrived>
  readonly #stall = new StallWatch()
  /** Direct messages that were handed to this device and that it has not acknowledged. */
  #unacknowledged = 0
  #cancelExpiry: () => void = () => undefined
  #feed: Feed | undefined
  #watch: Watch | undefined
  #isClosed = false
  #hasArrived = false
  #onArrival: (hasArrived: boolean) => void = () => undefined
  readonly #arrival: Promise<boolean> = new Promise(resolve => {
    this.#onArrival = resolve
  })
  /** Pings since the last answer. */
  #unansweredPings = 0
  #pings = 0
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
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    this.#inbox = new Inbox({
      waitMs: () => this.#rates.work.debtMs,
      turn: () => this.#rates.turn.whenNext,
      backlog: () => context.accounts.backlog(this.user, 2 * context.limits.rosterBytes),
      handle: arrived => this.#handle(arrived),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      after: (delayMs, task) => context.clock.after(delayMs, task),
    })
    // One answer to each ping is asked for; all other control frames count as writes do.
    socket.on('pong', data => {
      // What a device says that does not read what it is asked is no answer.
      if (this.#unansweredPings > 0 && this.#isAnswer(data)) this.#unansweredPings = 0
      else if (!this.#isClosed) this.isWithinWrites()
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
    for (const session of this.context.relay.sessionsOf(this.user)) bytes += (session as Session).unfinishedBytes
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
    this.#cancelExpiry()
    if (identity.expiresAtMs === undefined || this.#isClosed) return
    this.#expireIn(identity.expiresAtMs - this.context.clock.now())
  }

  /** Counted down from the sign-in: a machine's clock that is set meanwhile makes no session last longer, or shorter. */
  #expireIn(leftMs: number): void {
    const laterMs = leftMs - longestTimerMs
    this.#cancelExpiry = this.context.clock.after(Math.min(leftMs, longestTimerMs), () => {
      if (laterMs > 0) this.#expireIn(laterMs)
      else this.close(closeCodes.unauthorised, 'the token has expired')
    })
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

  /** Keeps the connection in use, and ends what is dead. */
  beat(heartbeat: Uint8Array): void {
    if (this.#unansweredPings >= mostUnansweredPings || this.#stall.beat(this.#untakenBytes())) {
      return this.terminate()
    }
    // While the socket is not read, no answer can come.
    if (!this.#inbox.isPaused) {
      this.#unansweredPings++
      this.#socket.ping(pingOf(++this.#pings))
    }
    this.send(heartbeat)
  }

  /** The answer to the last ping, or to the one before, which may take its time. */
  #isAnswer(data: Buffer): boolean {
    return data.equals(pingOf(this.#pings)) || data.equals(pingOf(this.#pings - 1))
  }

  #untakenBytes(): number {
    return this.#socket.untakenBytes ?? this.#socket.bufferedAmount
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.end()
    this.#cancelExpiry()
    this.waiting.end()
    this.context.relay.leave(this)
    this.context.answers.changed(this.user)
    this.#watch?.close()
    if (this.#hasArrived) this.context.presence.left(this.user)
    this.#onArrival(this.#hasArrived)
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#isClosed || this.#isDraining) return
    const { limits } = this.context
    if (!isBinary) return this.end('protocol-violation', 'binary frames only')
    if (data.length > (isYProtocols(data) ? limits.rosterBytes + maxSyncHeaderBytes : limits.frameBytes)) {
      return this.end('frame-too-large', 'the frame is larger than the limit')
    }
    const message = decodeFrame(data)
    if (message.type === 'malformed') return this.end('malformed', message.what)
    // Only what an owner's own devices say of the owner is written [V9].
    if (message.type === 'profile') return this.end('not-your-roster', 'a profile of another user')
    if (!deviceMessages.has(message.type)) return this.end('protocol-violation', 'not a message of a device')
    if (message.type === 'sendMessage') {
      const retryAfterMs = this.#rates.messages.take()
      // Each refusal counts as a write: whoever goes on all the same is closed.
      if (retryAfterMs > 0) {
        if (this.isWithinWrites()) refuse(this, message.id, 'too-many-messages', retryAfterMs)
        return
      }
    } else if (!this.#isAcknowledgement(message.type) && !this.isWithinWrites()) return
    const cost = costOf(message as DeviceMessage, data.length)
    if (cost === Number.POSITIVE_INFINITY) return this.end('malformed', 'no state vector')
    this.#inbox.add({ message: message as DeviceMessage, cost })
  }

  /** A message that was handed over may be acknowledged for nothing: that is bounded by those who sent it. */
  #isAcknowledgement(type: string): boolean {
    if (type !== 'received' || this.#unacknowledged === 0) return false
    this.#unacknowledged--
    return true
  }

  #handle({ message, cost }: Arrived): void {
    if (this.#isClosed || this.#isDraining) return
    this.charge(cost)
    this.#rates.turn.spend(cost)
    try {
      handle(this, message)
    } catch (error) {
      this.context.log.error({ user: this.user, type: message.type, err: error }, 'a handler failed')
      this.fail(error)
    }
  }

  /** Counts writes; beyond the limit the session ends. */
  isWithinWrites(count = 1): boolean {
    const retryAfterMs = this.#rates.writes.take(count)
    if (retryAfterMs > 0) this.close(closeCodes.overLimit, encodeRetryHint('too-many-writes', retryAfterMs))
    return retryAfterMs === 0
  }
}

/** Each ping of a session is another. */
function pingOf(count: number): Buffer {
  return Buffer.from(String(count))
}

/** One encoding of an update for all devices that get it. */
const ownFrames = new WeakMap<Uint8Array, Uint8Array>()

function ownFrame(document: DocumentName, update: Uint8Array): Uint8Array {
  const known = ownFrames.get(update)
  if (known) return known
  const type = document === 'roster' ? 'rosterSync' : 'ownProfile'
  const frame = encodeFrame({ type, step: 'update', payload: update })
  ownFrames.set(update, frame)
  return frame
}
