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

/** A close reason has at most 123 bytes. A longer one makes closing throw. */
export function closeReason(code: ErrorCode, what: string): string {
  return `${code}: ${what}`.replace(/[^ -~]/g, '?').slice(0, 120)
}

/** One device's websocket, from the sign-in to its end: what the server may send, and how much its user may cost. */
export class Session implements Device {
  readonly user: string
  readonly signedInAt: number
  readonly context: Context
  readonly waiting: DeferredFollows = new DeferredFollows(this)
  /** The device has a later wire version than this server. */
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
  /** Documents for which the device has everything that the server had when the device asked. */
  readonly #answered = new Set<DocumentName>()
  /** Documents for which the device has sent a step 1. */
  readonly #asked = new Set<DocumentName>()
  /** Documents that the device received completely, or already had. */
  readonly #holding: Set<DocumentName> = new Set()
  /** By document: the founder of the generation that was last announced to the device. */
  readonly #founders: Partial<Record<DocumentName, number>> = {}
  /** The version in the device's hello; 1 without a hello. */
  wire = 1
  #watch: PresenceSubscription | undefined
  #isClosed = false
  /** Nothing was refused or dropped since the last barrier. */
  #isComplete = true
  /** The server is stopping. Frames that arrive now are left to the next server. */
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
    // A socket error is followed by its close. The close code gives the reason.
    socket.on('error', error => context.log.debug({ user: this.user, err: error }, 'socket error'))
    socket.on('close', () => this.#end())
  }

  /** Sets the inbox where the frames of this device wait for their turn. */
  readsFrom(inbox: Pick<Inbox<unknown>, 'isPaused' | 'end'>): void {
    this.#inbox = inbox
  }

  /** Arriving frames are still accepted. */
  get isReading(): boolean {
    return !this.#isClosed && !this.#isDraining
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get feed(): Feed | undefined {
    return this.#feed
  }

  /** The device speaks Kith's messages, and receives them from now on. */
  openFeed(): Feed {
    const { relay, limits } = this.context
    this.#feed = new Feed(this.user, relay, this, limits.outstandingBytes, this.wire >= differencesWire)
    return this.#feed
  }

  /** The device is welcome. Its user is online from now on. */
  arrive(): void {
    if (this.#isClosed) return
    this.context.presence.came(this.user)
    this.#arrival.arrive()
  }

  /** Resolves to whether the device was welcomed, once that is known. */
  get arrived(): Promise<boolean> {
    return this.#arrival.settled
  }

  get hasArrived(): boolean {
    return this.#arrival.hasArrived
  }

  /** The device's presence subscription. Absent until the device has named a user. */
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
    // A device that has not read for so long should reconnect, and must not use up other users' memory.
    if (this.outbound.isBurden) return this.close(closeCodes.unavailable, 'too slow')
    this.outbound.send(frame)
  }

  together(send: () => void): void {
    this.outbound.together(send)
  }

  /** Ends the connection immediately, because a partly received frame is kept as long as the connection exists. */
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
   * Sends a change by another device of the user. Changes before the answer to step 1 are part of that answer, so the device
   * receives them together with the content on which they build [D6].
   */
  sendOwn(document: DocumentName, update: Uint8Array): void {
    if (this.#answered.has(document)) this.send(ownFrame(document, update))
  }

  /** The device has sent a step 1. */
  asked(document: DocumentName): void {
    this.#asked.add(document)
  }

  /** The device has answered the server's step 1. If it did not send a step 1 itself before, it does not wait for an answer. */
  hasSynced(document: DocumentName): void {
    if (!this.#asked.has(document)) this.#answered.add(document)
  }

  /** Answers the device's step 1. `founder`: the founder of the server's document. */
  answer(document: DocumentName, missing: Uint8Array, founder: number): void {
    this.holdsAll(document, founder)
    this.say({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step: 'step2', payload: missing })
  }

  /** The device has the same content as the server. From now on it receives the changes, as after an answer to its step 1. */
  holdsAll(document: DocumentName, founder: number): void {
    this.#answered.add(document)
    this.#holding.add(document)
    this.#founders[document] = founder
  }

  founderOf(document: DocumentName): number | undefined {
    return this.#founders[document]
  }

  /** A device with this wire version asks for the server's generation, and sends no content of another generation. */
  get comparesGenerations(): boolean {
    return this.#feed !== undefined && this.wire >= generationsWire
  }

  hasGeneration(document: DocumentName): boolean {
    return this.comparesGenerations || this.#holding.has(document)
  }

  noteFounder(document: DocumentName, founder: number): void {
    if (this.#founders[document] !== undefined) this.#founders[document] = founder
  }

  /** A device that knows generations reconnects and builds on the present one. An older device keeps what it has. */
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

  /** Accepts no further frames. */
  drain(): void {
    this.#isDraining = true
  }

  terminate(): void {
    this.#end()
    this.#socket.terminate()
  }

  /** A stock provider has no message for a refusal, so its connection ends instead. */
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
    // A change that names no other user cannot make a follow wait.
    if (relations > 0) this.waiting.check()
  }

  fail(error: unknown): void {
    this.#isComplete = false
    // Its work in progress fails when the server stops, and nothing waits for it.
    if (this.#isClosed) return this.context.log.debug({ user: this.user, err: error }, 'a closed session failed')
    if (error instanceof Unwritable) return this.#farewell.begin(error)
    // Another node has revoked the token, and this node is about to learn of it.
    if (error instanceof RevokedSession) return this.close(closeCodes.unauthorised, 'the token was revoked')
    this.context.log.error({ user: this.user, err: error }, 'a session failed')
    this.close(closeCodes.unavailable, 'try again later')
  }

  /** The session is about to be closed, because a change of its device could not be stored. */
  get isLeaving(): boolean {
    return this.#farewell.isBegun
  }

  /** Returns whether everything that was sent since the last call is on disk. */
  takeCompleteness(): boolean {
    const isComplete = this.#isComplete
    this.#isComplete = true
    return isComplete
  }

  /** The session now lasts until this token expires. */
  renew(identity: Identity): void {
    if (!this.#isClosed) this.#expiry.set(identity.expiresAtMs)
  }

  /** Ends the session because of a violation by the device. */
  end(code: ErrorCode, what: string): void {
    this.close(closeCodeFor(code), closeReason(code, what))
  }

  close(code: CloseCode, reason: string): void {
    if (this.#isClosed) return
    this.context.metrics.closed.inc({ code: String(code) })
    this.#end()
    this.#socket.close(code, reason)
  }

  /** Keeps the connection in use, and ends it if the device is gone or does not read. */
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

  /** Counts writes. Above the limit, the session ends. */
  isWithinWrites(count = 1): boolean {
    const retryAfterMs = this.allowance.takeWrites(count)
    if (retryAfterMs > 0) this.close(closeCodes.overLimit, encodeRetryHint('too-many-writes', retryAfterMs))
    return retryAfterMs === 0
  }
}
