import { type CloseCode, closeCodeFor, closeCodes, type ErrorCode, encodeRetryHint, founderOf } from '@kith/shared'
import { differencesWire, encodeFrame, generationsWire, type ServerMessage } from '@kith/shared/wire'
import * as Y from 'yjs'
import type { Device } from '../device.ts'
import { PresenceSubscription } from '../presence/subscription.ts'
import { RevokedSession } from '../relations/outdated.ts'
import type { DocumentName } from '../relations/records.ts'
import { Unwritable } from '../relations/unwritable.ts'
import { Feed } from '../relay/feed.ts'
import type { Identity, SignedIn } from '../tokens.ts'
import { Allowance } from './allowance.ts'
import { Arrival } from './arrival.ts'
import type { Context } from './context.ts'
import { forLook, forRelations } from './cost.ts'
import { DeferredFollows } from './deferred-follows.ts'
import type { DeviceSocket } from './device-socket.ts'
import { DocumentRequests } from './document-requests.ts'
import { Expiry } from './expiry.ts'
import { Farewell } from './farewell.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Inbox } from './inbox.ts'
import { Outbound } from './outbound.ts'
import { ownFrame } from './own-frames.ts'

/** A close reason has at most 123 bytes, or closing throws. */
export function closeReason(code: ErrorCode, what: string): string {
  return `${code}: ${what}`.replace(/[^ -~]/g, '?').slice(0, 120)
}

/** One device's websocket, from the sign-in to its end: what the server may send, and what its user may cost. */
export class Session implements Device {
  readonly user: string
  readonly signedInAt: number
  readonly context: Context
  readonly waiting: DeferredFollows = new DeferredFollows(this)
  /** The device has a later wire than this server. */
  isNewer = false
  readonly #socket: DeviceSocket
  readonly allowance: Allowance
  readonly requests: DocumentRequests = new DocumentRequests()
  readonly #arrival = new Arrival()
  readonly #expiry: Expiry
  readonly #heartbeat: Heartbeat
  readonly #farewell = new Farewell(this)
  readonly outbound: Outbound
  #inbox: Pick<Inbox<unknown>, 'isPaused' | 'end'> = { isPaused: false, end: () => undefined }
  #feed: Feed | undefined
  /** Documents of which the device has what the server had when it asked. */
  readonly #answered = new Set<DocumentName>()
  /** Documents for which the device has sent a step 1. */
  readonly #asked = new Set<DocumentName>()
  /** Documents of which the device was sent all that the server had, or had it. */
  readonly #holding: Set<DocumentName> = new Set()
  /** The founder of the generation that the device was told of, by document. */
  readonly #founders: Partial<Record<DocumentName, number>> = {}
  /** What the device said in its hello; 1 without one. */
  wire = 1
  #watch: PresenceSubscription | undefined
  #isClosed = false
  /** Nothing was refused or dropped since the last barrier. */
  #isComplete = true
  /** The server is stopping: what comes now is for the next one. */
  #isDraining = false

  constructor(socket: DeviceSocket, identity: SignedIn, context: Context) {
    this.user = identity.user
    this.signedInAt = identity.signedInAt
    this.context = context
    this.#socket = socket
    this.outbound = new Outbound(socket, identity.user, context, () => this.#onTaken())
    this.#heartbeat = new Heartbeat(socket, this.outbound)
    this.allowance = new Allowance(context.rates.of(identity.user))
    this.#expiry = new Expiry(context.clock, () => this.close(closeCodes.unauthorised, 'the token has expired'))
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

  get isClosed(): boolean {
    return this.#isClosed
  }

  get feed(): Feed | undefined {
    return this.#feed
  }

  /** The device speaks Kith's messages: from here on it gets them. */
  openFeed(): Feed {
    const { relay, limits } = this.context
    this.#feed = new Feed(this.user, relay, this, limits.outstandingBytes, this.wire >= differencesWire)
    return this.#feed
  }

  /** The device is welcome: from here on its user is online. */
  arrive(): void {
    if (this.#isClosed) return
    this.context.presence.came(this.user)
    this.#arrival.arrive()
  }

  /** Whether the device was welcomed; resolves when that is known. */
  get arrived(): Promise<boolean> {
    return this.#arrival.settled
  }

  get hasArrived(): boolean {
    return this.#arrival.hasArrived
  }

  /** The users whose presence the device wants to know; absent until it has named one. */
  get watch(): PresenceSubscription | undefined {
    return this.#watch
  }

  openWatch(feed: Feed): PresenceSubscription {
    const { relay, presence, clock, limits } = this.context
    const port = { user: this.user, relay, presence, feed, clock, maxOutstandingBytes: limits.outstandingBytes }
    this.#watch ??= new PresenceSubscription(port, this)
    return this.#watch
  }

  get outstandingBytes(): number {
    return this.outbound.outstandingBytes
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return
    // A device that takes nothing for so long is better off with a new start; and it must not cost others the memory.
    if (this.outbound.isBurden) return this.close(closeCodes.unavailable, 'too slow')
    this.outbound.send(frame)
  }

  together(send: () => void): void {
    this.outbound.together(send)
  }

  /** Ends the connection at once: what has come of a frame is kept for as long as it is there. */
  cutOff(reason: string): void {
    this.close(closeCodes.unavailable, reason)
    this.#socket.terminate()
  }

  get heldBytes(): number {
    return this.#socket.heldBytes ?? 0
  }

  #onTaken(): void {
    this.context.answers.changed(this.user)
    this.#feed?.onTaken()
    this.#watch?.onTaken()
  }

  say(message: ServerMessage): void {
    if (message.type === 'message') this.allowance.noteMessage()
    this.send(encodeFrame(message))
  }

  /**
   * A change of another device of the user. What comes before the answer to step 1 is in that answer: the device learns of it
   * together with what it builds on [D6].
   */
  sendOwn(document: DocumentName, update: Uint8Array): void {
    if (this.#answered.has(document)) this.send(ownFrame(document, update))
  }

  /** A step 1 of the device has come. */
  asked(document: DocumentName): void {
    this.#asked.add(document)
  }

  /** The device has answered the server's step 1. If it did not ask itself before, no answer is to come that it could wait for. */
  hasSynced(document: DocumentName): void {
    if (!this.#asked.has(document)) this.#answered.add(document)
  }

  /** Answers the device's step 1. `founder`: the founder of the server's document. */
  answer(document: DocumentName, missing: Uint8Array, founder: number): void {
    this.holdsAll(document, founder)
    this.say({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step: 'step2', payload: missing })
  }

  /** The device holds what the server does: from here on it gets the changes, as after an answer to its step 1. */
  holdsAll(document: DocumentName, founder: number): void {
    this.#answered.add(document)
    this.#holding.add(document)
    this.#founders[document] = founder
  }

  founderOf(document: DocumentName): number | undefined {
    return this.#founders[document]
  }

  /** A device of this wire asks for the server's generation, and does not send anything of another one. */
  get comparesGenerations(): boolean {
    return this.#feed !== undefined && this.wire >= generationsWire
  }

  hasGeneration(document: DocumentName): boolean {
    return this.comparesGenerations || this.#holding.has(document)
  }

  noteFounder(document: DocumentName, founder: number): void {
    if (this.#founders[document] !== undefined) this.#founders[document] = founder
  }

  /** A device that knows of generations comes back and builds upon the present one; an older one keeps what it has. */
  outdate(document: DocumentName): void {
    if (this.#isClosed) return
    this.#isComplete = false
    this.context.accounts.drop(this.user, this)
    const what = `the ${document} was refounded`
    if (this.#feed && this.wire < generationsWire) this.end('upgrade-required', what)
    else this.close(closeCodes.outdated, `outdated: ${what}`)
  }

  charge(units: number): void {
    this.allowance.charge(units)
  }

  resend(document: DocumentName, stateVector: Uint8Array, isDropped = true): void {
    if (isDropped) this.#isComplete = false
    if (!this.requests.ask(document)) return
    this.#founders[document] = founderOf(Y.decodeStateVector(stateVector).keys())
    this.say({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step: 'step1', payload: stateVector })
  }

  /** Takes nothing more in. */
  drain(): void {
    this.#isDraining = true
  }

  terminate(): void {
    this.#end()
    this.#socket.terminate()
  }

  /** A stock provider has no message for it, so its connection ends instead. */
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
    // A change that names no other user makes no follow wait.
    if (relations > 0) this.waiting.check()
  }

  fail(error: unknown): void {
    this.#isComplete = false
    // What was under way for it fails when the server stops, and nobody waits for it.
    if (this.#isClosed) return this.context.log.debug({ user: this.user, err: error }, 'a closed session failed')
    if (error instanceof Unwritable) return this.#farewell.begin(error)
    // Another node has revoked it, and this one is about to learn of that.
    if (error instanceof RevokedSession) return this.close(closeCodes.unauthorised, 'the token was revoked')
    this.context.log.error({ user: this.user, err: error }, 'a session failed')
    this.close(closeCodes.unavailable, 'try again later')
  }

  /** It is about to be closed, since what its device sent could not be stored. */
  get isLeaving(): boolean {
    return this.#farewell.isBegun
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
    this.close(closeCodeFor(code), closeReason(code, what))
  }

  close(code: CloseCode, reason: string): void {
    if (this.#isClosed) return
    this.context.metrics.closed.inc({ code: String(code) })
    this.#end()
    this.#socket.close(code, reason)
  }

  /** Keeps the connection in use, and ends it when the device is gone or does not read. */
  beat(heartbeat: Uint8Array): void {
    const trouble = this.#heartbeat.beat(this.#inbox.isPaused)
    if (trouble === 'gone') return this.terminate()
    if (trouble === 'late frame') return this.cutOff('a frame took too long')
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
    if (this.hasArrived) this.context.presence.left(this.user)
    this.#arrival.end()
  }

  /** Counts writes; beyond the limit the session ends. */
  isWithinWrites(count = 1): boolean {
    const retryAfterMs = this.allowance.takeWrites(count)
    if (retryAfterMs > 0) this.close(closeCodes.overLimit, encodeRetryHint('too-many-writes', retryAfterMs))
    return retryAfterMs === 0
  }
}
