import { closeCodes } from '@kith/shared'
import { subprotocol, versionedSubprotocol } from '@kith/shared/wire'
import type { Identity, SignedIn } from '../tokens.ts'
import { begin } from './begin.ts'
import type { Context } from './context.ts'
import type { DeviceSocket } from './device-socket.ts'
import { inTime } from './in-time.ts'
import { receive } from './receive.ts'
import { asRefusal, crowded, type Refusal, revoked, stopping } from './refusal.ts'
import { Session } from './session.ts'
import { SignInAttempts } from './sign-in-attempts.ts'
import { SignInFailures } from './sign-in-failures.ts'

const bearerPrefix = 'bearer.'
/** How long devices have to answer the close frame of a server that stops or refuses them. */
const closingMs = 2_000

/** The shortest time between two log entries that there is no place for another session. */
const fullIsNewsMs = 60_000

/**
 * Selects the subprotocol for a device that offers these. A browser that offered subprotocols and gets none of them sees no
 * close code, so one is selected in any case.
 */
export function selectSubprotocol(offered: ReadonlySet<string>): string | false {
  if (!offered.has(subprotocol)) return [...offered][0] ?? false
  return offered.has(versionedSubprotocol) ? versionedSubprotocol : subprotocol
}

/** A device that wants to connect. */
export interface Caller {
  /** The user whose roster it requests. Empty if the path names no user. */
  readonly user: string
  /** The subprotocols that it offers, its token among them. */
  readonly protocols: readonly string[]
  /** The address from which it connects, for the limit per address. */
  readonly address: string
}

/** A caller whose token is valid, and the number of its user's sessions on other nodes. */
interface Checked {
  identity: Identity
  sessionsElsewhere: number
}

/** Signs in callers. Each gets a session or a close code. */
export class SignIns {
  #context: Context
  #sessions = new Set<Session>()
  #countByAddress = new Map<string, number>()
  readonly #attempts = new SignInAttempts()
  readonly #failures: SignInFailures
  #isClosing = false
  #loggedFullAtMs = Number.NEGATIVE_INFINITY

  constructor(context: Context) {
    this.#context = context
    this.#failures = new SignInFailures(context.clock, context.log)
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions
  }

  /**
   * From here on, the caller counts for its address. Conditions that may change otherwise while the token is checked are
   * checked last.
   */
  async signIn(caller: Caller): Promise<SignedIn | Refusal> {
    const { user, address } = caller
    const signedInAt = this.#context.store.position
    if (this.#isFull(address)) return crowded
    if (this.#isClosing) return stopping
    const signIn = await this.#attempts.run(caller, this.#check(caller))
    if ('code' in signIn) return signIn
    const { limits, relay } = this.#context
    const count = relay.sessionsOf(user).size + signIn.sessionsElsewhere
    return count >= limits.connectionsPerUser ? crowded : { ...signIn.identity, signedInAt }
  }

  #isFull(address: string): boolean {
    const sessions = this.#countByAddress.get(address) ?? 0
    return sessions + this.#attempts.countOf(address) >= this.#context.limits.connectionsPerAddress
  }

  async #check(caller: Caller): Promise<Checked | Refusal> {
    try {
      return await inTime(this.#context.clock, this.#identify(caller))
    } catch (error) {
      const bearer = caller.protocols.find(name => name.startsWith(bearerPrefix)) ?? ''
      this.#failures.note(error, bearer.slice(bearerPrefix.length))
      return asRefusal(error)
    }
  }

  async #identify({ user, protocols }: Caller): Promise<Checked | Refusal> {
    const bearer = protocols.find(name => name.startsWith(bearerPrefix))
    if (bearer === undefined) {
      return { code: closeCodes.unauthorised, reason: `offer the subprotocol ${bearerPrefix}<token>` }
    }
    if (!protocols.includes(subprotocol)) {
      return { code: closeCodes.protocolViolation, reason: `offer the subprotocol ${subprotocol}` }
    }
    const identity = await this.#context.tokens.verify(bearer.slice(bearerPrefix.length))
    if (identity.user !== user) {
      return { code: closeCodes.notYourRoster, reason: 'the token is for another user' }
    }
    const { stays } = this.#context
    return { identity, sessionsElsewhere: stays ? await stays.sessionsElsewhere(user) : 0 }
  }

  /** Refuses a caller, and waits only briefly for its close frame, because the place is needed. */
  refuse(socket: DeviceSocket, { code, reason }: Refusal): void {
    socket.on('error', () => socket.terminate())
    this.#context.metrics.closed.inc({ code: String(code) })
    if (code === closeCodes.noRoom) this.#tellFull()
    const cancel = this.#context.clock.after(closingMs, () => socket.terminate())
    socket.on('close', cancel)
    socket.close(code, reason)
  }

  #tellFull(): void {
    const { clock, log } = this.#context
    if (Math.abs(clock.now() - this.#loggedFullAtMs) < fullIsNewsMs) return
    this.#loggedFullAtMs = clock.now()
    log.warn(
      { sessions: this.#sessions.size },
      'no place for another session: raise the limit of open files (ulimit -n)',
    )
  }

  /** Begins the session of a caller who has just signed in. */
  begin(socket: DeviceSocket, identity: SignedIn, address: string): void {
    const session = new Session(socket, identity, this.#context)
    receive(session, socket, address)
    this.#sessions.add(session)
    this.#countByAddress.set(address, (this.#countByAddress.get(address) ?? 0) + 1)
    socket.on('close', () => {
      this.#sessions.delete(session)
      const count = (this.#countByAddress.get(address) ?? 1) - 1
      if (count === 0) this.#countByAddress.delete(address)
      else this.#countByAddress.set(address, count)
    })
    begin(session)
    const { stays } = this.#context
    if (!stays) return
    stays.changed(session.user)
    socket.on('close', () => stays.changed(session.user))
  }

  /** The user's tokens are no longer valid. Ends the user's sessions and sign-ins in progress. */
  end(user: string): void {
    for (const session of this.#sessions) {
      if (session.user === user) session.close(closeCodes.unauthorised, 'the token was revoked')
    }
    this.#attempts.end(revoked, user)
  }

  /** Accepts no further callers or frames. Ends sign-ins in progress, which may take long. */
  stopAccepting(): void {
    this.#isClosing = true
    this.#attempts.end(stopping)
    for (const session of this.#sessions) session.drain()
  }

  /** Closes every session with 1001, so that devices reconnect elsewhere. Ends those that do not answer in time. */
  closeAll(): void {
    for (const session of this.#sessions) session.close(closeCodes.goingAway, stopping.reason)
    this.#context.clock.after(closingMs, () => {
      for (const session of this.#sessions) session.terminate()
    })
  }
}
