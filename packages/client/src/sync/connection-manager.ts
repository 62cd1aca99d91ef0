import { closeCodes, KithError } from '@kith/shared'
import type { ClientMessage } from '@kith/shared/wire'
import type { OpenStore } from '../database/store.ts'
import { askForToken } from '../token.ts'
import { AccessedProfiles } from './accessed-profiles.ts'
import { Attempt } from './attempt.ts'
import { backoffMs } from './backoff.ts'
import { type Verdict, verdictOn } from './close-action.ts'
import type { Connection } from './connection.ts'
import { OutgoingMessages } from './direct-messages.ts'
import { FrameSizes } from './frame-sizes.ts'
import type { LinkHost } from './host.ts'
import type { Delivery, LinkPort } from './port.ts'
import { type Recovery, tooLargeCode } from './sender.ts'
import { Session } from './session.ts'
import { SyncWaiters } from './sync-waiters.ts'

type State =
  | { state: 'idle' }
  /** Getting a token and opening a socket. */
  | { state: 'dialling'; end: () => void }
  | { state: 'open'; session: Session; end: () => void }
  | { state: 'waiting'; end: () => void }
  | { state: 'closed' }

/** Another token is tried at once, but not more often than this, in milliseconds: tokens may last a second only. */
const newTokenRestMs = 5_000
/** How long `loaded` waits for a connection that is being made, in milliseconds. */
const diallingPatienceMs = 10_000

/** This device's connection: while the app wants it, there is a session, or an attempt, or a wait for the next attempt. */
export class Link implements LinkPort {
  readonly #host: LinkHost
  readonly #waiters: SyncWaiters
  readonly #messages: OutgoingMessages
  readonly #looks: AccessedProfiles
  #state: State = { state: 'idle' }
  #firstToken: string | undefined
  readonly #onDialled: Set<() => void> = new Set()
  #watched: readonly string[] = []
  #attempt = 0
  #hasTriedNewToken = false
  /** When another token was last tried at once, by `clock.elapsed()`. */
  #triedNewTokenAt = Number.NEGATIVE_INFINITY
  /** Since a session was last in step, one ended because its frames could not be stored. */
  #isStorageFailing = false
  /**
   * Since a session was last in step, the server sent what it cannot send, did not take what it must take, or was unavailable:
   * the next attempts come more and more rarely.
   */
  #isServerFailing = false
  /** The server closed rather than take a change: the next session begins with the server's state. */
  #recovery: Recovery | undefined
  readonly #frameSizes = new FrameSizes()

  constructor(host: LinkHost, firstToken: string | undefined) {
    this.#host = host
    this.#firstToken = firstToken
    this.#looks = new AccessedProfiles(host.store)
    this.#waiters = new SyncWaiters(host.store)
    this.#messages = new OutgoingMessages(host.clock, host.randomness)
  }

  connect(): void {
    this.#waiters.resume()
    if (this.#state.state === 'idle') this.#attempt = 0
    this.retryNow()
    if (this.#state.state === 'idle') this.#dial()
  }

  /** Cuts a wait short: the app asks, or the network is back. */
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
    this.#setState({ state: 'idle' })
    this.#host.setStatus('offline')
  }

  /** Something was written that is to be sent. If there was no room for the server's frames, there may be now. */
  wake(): void {
    if (this.#state.state === 'open') this.#state.session.wake()
    if (this.#isStorageFailing) this.retryNow()
  }

  async fetch(owner: string): Promise<void> {
    this.#looks.add(owner)
    if (this.#state.state === 'dialling') await this.#dialled()
    if (this.#state.state !== 'open') return
    const { session } = this.#state
    // The feed has brought what the followed users show.
    if (session.isSynced && this.#host.store.unsent === 0 && this.#looks.isFollowed(owner)) return
    await session.fetch(owner)
  }

  send(to: string, text: string, limitMs?: number): Promise<Delivery> {
    const delivery = this.#messages.send(to, text, limitMs)
    this.#flush()
    return delivery
  }

  watch(users: readonly string[]): void {
    this.#watched = users
    if (this.#state.state === 'open') this.#state.session.watch(users)
  }

  async whenSynced(signal: AbortSignal | undefined): Promise<void> {
    await this.#waiters.wait(signal, () => this.wake())
  }

  async close(): Promise<void> {
    this.disconnect()
    this.end(new KithError('closed', 'This client was closed'))
  }

  /** Ends everything at once. Calls that wait reject with this error. */
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
        nextToken: () => this.#nextToken(),
        newSession: (own, connection, store) => this.#newSession(own, connection, store),
        opened: session => {
          this.#setState({ state: 'open', session, end: () => attempt.end() })
          session.watch(this.#watched)
          session.start(() => this.#looks.unfollowed).catch((error: unknown) => this.#broken(attempt, error))
        },
        // A session goes on only in the database that it began in.
        storeEnded: () => {
          this.#leave()
          this.#dial()
        },
        storeFailed: error => {
          this.#isStorageFailing = true
          this.#host.failed(error)
          this.#wait(undefined)
        },
        failed: cause => this.#notConnected(cause),
        unauthorised: token => this.#unauthorised(token),
        closed: (code, reason, token, session) => {
          this.#recovery = undefined
          if (code === closeCodes.tooLarge && this.#canRecover(session)) this.#wait(undefined)
          else this.#closed(code, reason, token)
        },
        interrupted: () => this.#messages.interrupt(),
      },
      refused,
    )
    this.#setState({ state: 'dialling', end: () => attempt.end() })
    this.#host.setStatus('connecting')
    void attempt.start()
  }

  #notConnected(cause: unknown): void {
    const retryAfterMs = Math.ceil(this.#wait(undefined))
    // The same text each time, so that an app can show it once.
    const message = 'Could not get a token, or open a connection with it; trying again'
    this.#host.failed(new KithError('unavailable', message, { retryAfterMs, cause }))
  }

  async #nextToken(): Promise<string> {
    const first = this.#firstToken
    this.#firstToken = undefined
    const { token, clock } = this.#host
    return first ?? (typeof token === 'string' ? token : await askForToken(token, clock))
  }

  /** What was too large goes in smaller pieces, or stays here [D6]. */
  #canRecover(session: Session | undefined): boolean {
    if (!session?.inFlight) return false
    const { document, update } = session.inFlight
    const next = this.#frameSizes.wasTooLarge(document, update)
    if (next?.type === 'refuse') {
      this.#recovery = { document, refusal: { code: tooLargeCode(document), valueBytes: next.valueBytes } }
    }
    return next !== undefined
  }

  #newSession(attempt: Attempt, connection: Connection, store: OpenStore): Session {
    return new Session({
      ...this.#host,
      store,
      waiters: this.#waiters,
      messages: this.#messages,
      recovery: this.#recovery,
      frameSizes: this.#frameSizes,
      send: (message: ClientMessage) => connection.send(message),
      settled: () => {
        this.#isStorageFailing = false
        this.#isServerFailing = false
        this.#host.settled()
      },
      welcomed: () => {
        if (!this.#isStorageFailing && !this.#isServerFailing) this.#attempt = 0
        this.#hasTriedNewToken = false
      },
      broken: (error: unknown) => this.#broken(attempt, error),
      accountErased: () => {
        this.#leave()
        this.#host.accountErased()
      },
    })
  }

  /** The session can't go on; another one may. */
  #broken(attempt: Attempt, cause: unknown): void {
    if (attempt.isOver) return
    if (cause instanceof KithError && cause.code === 'database-failed') this.#isStorageFailing = true
    else this.#isServerFailing = true
    const text = cause instanceof Error ? cause.message : String(cause)
    this.#host.failed(cause instanceof KithError ? cause : new KithError('unavailable', text, { cause }))
    attempt.abandon()
  }

  #closed(code: number, reason: string, token: string): void {
    const verdict = verdictOn(code, reason)
    switch (verdict.type) {
      case 'retry':
        this.#wait(undefined)
        return
      case 'rest':
        this.#rest(verdict)
        return
      case 'newToken':
        this.#unauthorised(token)
        return
      case 'stop':
        this.#stop(new KithError(verdict.code, `The server closed with ${code} ${reason}`))
    }
  }

  #unauthorised(token: string): void {
    const message = 'The server does not take the token'
    const { clock, token: source } = this.#host
    if (typeof source !== 'function') return this.#stop(new KithError('unauthorised', message))
    const restMs = this.#triedNewTokenAt + newTokenRestMs - clock.elapsed()
    if (!this.#hasTriedNewToken && restMs <= 0) {
      this.#hasTriedNewToken = true
      this.#triedNewTokenAt = clock.elapsed()
      this.#dial(token)
    } else {
      const retryAfterMs = Math.ceil(this.#wait(Math.max(0, restMs)))
      this.#host.failed(new KithError('unauthorised', message, { retryAfterMs }))
    }
  }

  /** The server sent this device away because of a limit (S3), or can't store changes or take connections now. */
  #rest({ code, hintMs, message }: Extract<Verdict, { type: 'rest' }>): void {
    this.#isServerFailing ||= code === 'unavailable'
    const retryAfterMs = Math.ceil(this.#wait(hintMs))
    this.#host.failed(new KithError(code, message, { retryAfterMs }))
  }

  #wait(hintMs: number | undefined): number {
    const delayMs = backoffMs(this.#attempt, hintMs, this.#host.randomness)
    this.#attempt++
    const cancel = this.#host.clock.after(delayMs, () => this.#dial())
    this.#setState({ state: 'waiting', end: cancel })
    this.#host.setStatus('offline')
    return delayMs
  }

  #stop(error: KithError): void {
    this.#setState({ state: 'idle' })
    this.#host.setStatus('offline')
    this.#waiters.stop(error)
    this.#host.failed(error)
  }

  /** Resolves when the attempt to connect has come to something, or takes too long. */
  async #dialled(): Promise<void> {
    await new Promise<void>(resolve => {
      const cancel = this.#host.clock.after(diallingPatienceMs, resolve)
      this.#onDialled.add(() => {
        cancel()
        resolve()
      })
    })
  }

  #setState(state: State): void {
    this.#state = state
    if (state.state === 'dialling') return
    const waiting = [...this.#onDialled]
    this.#onDialled.clear()
    for (const resolve of waiting) resolve()
  }

  #leave(): void {
    const left = this.#state
    this.#setState({ state: 'idle' })
    if (left.state !== 'idle' && left.state !== 'closed') left.end()
  }

  #flush(): void {
    if (this.#state.state === 'open') this.#state.session.flush()
  }
}
