import { closeCodes, KithError } from '@kith/shared'
import type { ClientMessage } from '@kith/shared/wire'
import { isLoss } from '../device/loss.ts'
import { askForToken, isPresentable } from '../token.ts'
import { AccessedProfiles } from './accessed-profiles.ts'
import { backoffMs } from './backoff.ts'
import { type Verdict, verdictOn } from './close-action.ts'
import { Connection } from './connection.ts'
import { OutgoingMessages } from './direct-messages.ts'
import { FrameSizes } from './frame-sizes.ts'
import type { LinkHost } from './host.ts'
import type { Delivery, LinkPort } from './port.ts'
import { type Recovery, tooLargeCode } from './sender.ts'
import { Session } from './session.ts'
import { SyncWaiters } from './sync-waiters.ts'
import { keepRenewing } from './token-renewal.ts'

type State =
  | { state: 'idle' }
  /** Getting a token and opening a socket; `end` gives both up. */
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

  /** The database is gone, or was: a session goes on only in the one that it began in. */
  restart(): void {
    if (this.#state.state !== 'open') return
    this.#leave()
    this.#dial()
  }

  /** The database is another one. */
  renew(): void {
    if (this.#state.state === 'open' && this.#state.session.isOutdated) this.restart()
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
    let isGivenUp = false
    let connection: Connection | undefined
    this.#setState({
      state: 'dialling',
      end: () => {
        isGivenUp = true
        connection?.close()
      },
    })
    this.#host.setStatus('connecting')
    const dial = async (): Promise<void> => {
      const token = await this.#nextToken()
      if (isGivenUp) return
      if (isPresentable(token) && token !== refused) connection = this.#open(token, () => isGivenUp)
      else this.#unauthorised(token)
    }
    dial().catch((cause: unknown) => {
      if (isGivenUp) return
      const delayMs = this.#wait(undefined)
      const options = { retryAfterMs: Math.ceil(delayMs), cause }
      // The same text each time, so that an app can show it once.
      const message = 'Could not get a token, or open a connection with it; trying again'
      this.#host.failed(new KithError('unavailable', message, options))
    })
  }

  async #nextToken(): Promise<string> {
    const first = this.#firstToken
    this.#firstToken = undefined
    const { token, clock } = this.#host
    return first ?? (typeof token === 'string' ? token : await askForToken(token, clock))
  }

  #open(token: string, isGivenUp: () => boolean): Connection {
    const { url, user, WebSocket, clock } = this.#host
    let session: Session | undefined
    let stopRenewing: () => void = () => undefined
    const connection = new Connection(
      {
        opened: () => {
          session = this.#newSession(connection)
          stopRenewing = keepRenewing(this.#host, token, next => connection.send({ type: 'renew', token: next }))
          this.#setState({ state: 'open', session, end: () => connection.close() })
          session.watch(this.#watched)
          session.start(() => this.#looks.unfollowed).catch((error: unknown) => this.#broken(connection, error))
        },
        message: (message, bytes) => session?.take(message, bytes),
        closed: (code, reason) => {
          stopRenewing()
          session?.end()
          this.#messages.interrupt()
          if (isGivenUp() || !this.#isCurrent(session)) return
          this.#recovery = undefined
          if (code === closeCodes.tooLarge && this.#canRecover(session)) this.#wait(undefined)
          else this.#closed(code, reason, token)
        },
      },
      {
        url: `${url}/v1/roster/${encodeURIComponent(user)}`,
        protocols: ['kith.v1', `bearer.${token}`],
        WebSocket,
        clock,
      },
    )
    return connection
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

  #newSession(connection: Connection): Session {
    return new Session({
      ...this.#host,
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
      broken: (error: unknown) => this.#broken(connection, error),
      accountErased: () => {
        this.#leave()
        this.#host.accountErased()
      },
    })
  }

  /** The session can't go on; another one may. */
  #broken(connection: Connection, cause: unknown): void {
    const text = cause instanceof Error ? cause.message : String(cause)
    if (cause instanceof KithError && cause.code === 'database-failed') this.#isStorageFailing = true
    else this.#isServerFailing = true
    // The store reports that the database is gone. The next session begins once it is back.
    if (!isLoss(this.#host.store.db, cause)) {
      this.#host.failed(cause instanceof KithError ? cause : new KithError('unavailable', text, { cause }))
    }
    connection.close()
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

  /** The server sent this device away because of a limit [S3], or can't store changes or take connections now. */
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

  /** Whether this is still the session, or the attempt at one, that counts. */
  #isCurrent(session: Session | undefined): boolean {
    return session === (this.#state.state === 'open' ? this.#state.session : undefined)
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
