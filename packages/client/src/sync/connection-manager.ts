import { closeCodes, KithError } from '@kith/shared'
import { asKithError, closed } from '../database/failure.ts'
import type { OpenStore } from '../database/store.ts'
import { Signal } from '../signal.ts'
import { within } from '../timeout.ts'
import { nextTokens } from '../token.ts'
import { AccessedProfiles } from './accessed-profiles.ts'
import { Attempt } from './attempt.ts'
import { verdictOn } from './close-action.ts'
import type { Connection } from './connection.ts'
import { OutgoingMessages } from './direct-messages.ts'
import { FrameSizes, type Recovery } from './frame-sizes.ts'
import type { LinkHost } from './host.ts'
import { notConnected, sentAway, tokenRefused } from './link-errors.ts'
import type { Delivery, LinkPort } from './port.ts'
import { PrivacyCheck } from './privacy-check.ts'
import { Retries } from './retries.ts'
import { Session } from './session.ts'
import { SyncWaiters } from './sync-waiters.ts'

type State =
  | { state: 'idle' }
  | { state: 'dialling'; end: () => void }
  | { state: 'open'; session: Session; end: () => void }
  | { state: 'waiting'; end: () => void }
  | { state: 'closed' }

/** How long `loaded` waits for a connection that is being opened, in milliseconds. */
const patienceMs = 10_000

/** The minimum wait for an upgrade of the device or the server, in milliseconds; the maximum is twice as long. */
const upgradeRestMs = 30 * 60_000

/**
 * This device's connection. While the app wants to be connected, there is a session, an attempt, or a wait for the next
 * attempt.
 */
export class ConnectionManager implements LinkPort {
  readonly #host: LinkHost
  readonly #waiters: SyncWaiters
  readonly #messages: OutgoingMessages
  readonly #looks: AccessedProfiles
  readonly #retries: Retries
  #state: State = { state: 'idle' }
  readonly #nextToken: () => Promise<string>
  /** Fires when an attempt to connect has ended or has opened a session. */
  readonly #dialled: Signal<[]> = new Signal()
  #watched: readonly string[] = []
  /** The server closed the connection instead of accepting a change: the next session begins with the server's state. */
  #recovery: Recovery | undefined
  readonly #frameSizes = new FrameSizes()
  readonly #privacy: PrivacyCheck

  constructor(host: LinkHost, firstToken: string | undefined) {
    this.#host = host
    this.#nextToken = nextTokens(host.token, firstToken, host.clock)
    this.#looks = new AccessedProfiles(host.store)
    this.#retries = new Retries(host.clock, host.randomness)
    this.#waiters = new SyncWaiters(host.store)
    this.#messages = new OutgoingMessages(host.clock, host.randomness)
    this.#privacy = new PrivacyCheck(error => host.failed(error))
  }

  connect(): void {
    this.#waiters.resume()
    if (this.#state.state === 'idle') this.#retries.begin()
    this.retryNow()
    if (this.#state.state === 'idle') this.#dial()
  }

  /** Ends a wait early: the app calls `connect`, or the network is back. */
  retryNow(): void {
    if (this.#state.state !== 'waiting') return
    this.#state.end()
    this.#dial()
  }

  /** Whether the app wants to be connected. */
  get isWanted(): boolean {
    return this.#state.state !== 'idle' && this.#state.state !== 'closed'
  }

  disconnect(): void {
    if (this.#state.state === 'closed') return
    this.#leave()
    this.#host.setStatus('offline')
  }

  /** Something was written that is to be sent. If storing the server's frames failed for lack of room, it may succeed now. */
  wake(): void {
    if (this.#state.state === 'open') this.#state.session.wake()
    if (this.#retries.isStorageFailing) this.retryNow()
  }

  async fetch(owner: string): Promise<void> {
    this.#looks.add(owner)
    if (this.#state.state === 'dialling') {
      const dialled = new Promise<void>(resolve => this.#dialled.on(resolve))
      await within(
        this.#host.clock,
        patienceMs,
        () => dialled,
        () => undefined,
      )
    }
    if (this.#state.state !== 'open') return
    const { session } = this.#state
    // The feed has already brought the visible fields of followed users.
    if (session.isSynced && this.#host.store.unsent === 0 && this.#looks.isFollowed(owner)) return
    await session.fetch(owner)
  }

  send(to: string, text: string, limitMs?: number): Promise<Delivery> {
    const delivery = this.#messages.send(to, text, limitMs)
    if (this.#state.state === 'open') this.#state.session.flush()
    return delivery
  }

  watch(users: readonly string[]): void {
    this.#watched = users
    if (this.#state.state === 'open') this.#state.session.watch(users)
  }

  whenSynced(signal: AbortSignal | undefined): Promise<void> {
    return this.#waiters.wait(signal, () => this.wake())
  }

  async close(): Promise<void> {
    this.disconnect()
    this.end(closed())
  }

  /** Ends everything immediately. Pending calls reject with this error. */
  end(error: KithError): void {
    this.#leave()
    this.#setState({ state: 'closed' })
    this.#waiters.end(error)
    this.#messages.close(error)
  }

  /** `refused`: the token that the server has just refused. */
  #dial(refused?: string): void {
    const attempt = new Attempt(
      {
        host: this.#host,
        nextToken: this.#nextToken,
        opened: (connection, store, isVersioned) => this.#begin(attempt, connection, store, isVersioned),
        storeEnded: () => {
          this.#leave()
          this.#dial()
        },
        storeFailed: error => {
          this.#retries.failed(error)
          this.#host.failed(error)
          this.#wait(undefined)
        },
        failed: cause => this.#host.failed(notConnected(this.#wait(undefined), cause)),
        unauthorised: token => this.#unauthorised(token),
        closed: (code, reason, token, session) => {
          const inFlight = code === closeCodes.tooLarge ? session?.inFlight : undefined
          const next = inFlight && this.#frameSizes.wasTooLarge(inFlight)
          this.#recovery = next?.recovery
          if (next) this.#wait(undefined)
          else this.#closed(code, reason, token)
        },
      },
      refused,
    )
    this.#setState({ state: 'dialling', end: () => attempt.end() })
    this.#host.setStatus('connecting')
    void attempt.start()
  }

  #begin(attempt: Attempt, connection: Connection, store: OpenStore, isVersioned: boolean): Session {
    const session = new Session({
      ...this.#host,
      ...{ store, isVersioned, privacy: this.#privacy },
      waiters: this.#waiters,
      messages: this.#messages,
      recovery: this.#recovery,
      frameSizes: this.#frameSizes,
      send: message => connection.send(message),
      settled: () => {
        this.#retries.settled()
        this.#host.settled()
      },
      welcomed: () => this.#retries.welcomed(),
      broken: error => this.#broken(attempt, error),
      accountErased: () => {
        this.#leave()
        this.#host.accountErased()
      },
    })
    this.#setState({ state: 'open', session, end: () => attempt.end() })
    session.watch(this.#watched)
    session.start(() => this.#looks.unfollowed).catch((error: unknown) => this.#broken(attempt, error))
    return session
  }

  /** The session cannot continue; another one may succeed. */
  #broken(attempt: Attempt, cause: unknown): void {
    if (attempt.isOver) return
    this.#retries.failed(cause)
    this.#host.failed(asKithError(cause, 'unavailable'))
    attempt.close()
  }

  #closed(code: number, reason: string, token: string): void {
    const verdict = verdictOn(code, reason)
    switch (verdict.type) {
      case 'retry':
        return void this.#wait(undefined)
      case 'rest': {
        // A limit was exceeded [S3], or the server cannot store changes or accept connections now.
        const error = sentAway(verdict.code, verdict.message, this.#wait(verdict.hintMs))
        if (verdict.code === 'unavailable') this.#retries.failed(error)
        return this.#host.failed(error)
      }
      case 'upgrade': {
        // All devices of one version get here at the same moment, so the delay is random.
        const hintMs = upgradeRestMs * (1 + this.#host.randomness.fraction())
        return this.#host.failed(sentAway('upgrade-required', verdict.message, this.#wait(hintMs)))
      }
      case 'newToken':
        return this.#unauthorised(token)
      case 'stop':
        return this.#stop(new KithError(verdict.code, `The server closed with ${code} ${reason}`))
    }
  }

  #unauthorised(token: string): void {
    if (typeof this.#host.token !== 'function') return this.#stop(tokenRefused())
    const restMs = this.#retries.newTokenDelayMs()
    if (restMs === undefined) this.#dial(token)
    else this.#host.failed(tokenRefused(this.#wait(restMs)))
  }

  #wait(hintMs: number | undefined): number {
    const delayMs = this.#retries.delayMs(hintMs)
    this.#setState({ state: 'waiting', end: this.#host.clock.after(delayMs, () => this.#dial()) })
    this.#host.setStatus('offline')
    return delayMs
  }

  #stop(error: KithError): void {
    this.#setState({ state: 'idle' })
    this.#host.setStatus('offline')
    this.#waiters.stop(error)
    this.#host.failed(error)
  }

  #setState(state: State): void {
    this.#state = state
    if (state.state === 'dialling') return
    this.#dialled.emit()
    this.#dialled.clear()
  }

  #leave(): void {
    const left = this.#state
    this.#setState({ state: 'idle' })
    if ('end' in left) left.end()
  }
}
