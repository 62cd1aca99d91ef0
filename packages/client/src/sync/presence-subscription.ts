import type { ClientMessage, PresenceState } from '@kith/shared/wire'
import { type Presence, type PresenceByUser, presenceOf } from '../presence/presence.ts'
import type { RateLimiter } from './rate-limiter.ts'

export interface WatchingPort {
  readonly pace: RateLimiter
  send(message: ClientMessage): void
  /** Shows all presence that is known now. */
  show(known: PresenceByUser): void
}

/** The users that one session watches, and their presence as the server reports it. Ends with the session. */
export class Watching {
  readonly #port: WatchingPort
  #wanted: readonly string[] = []
  #asked: ReadonlySet<string> = new Set()
  readonly #known: Map<string, Presence> = new Map()
  #state: 'new' | 'resting' | 'asking' | 'ended' = 'new'

  constructor(port: WatchingPort) {
    this.#port = port
  }

  /** To be called when the hello was sent. */
  async start(): Promise<void> {
    this.#state = 'resting'
    await this.#ask()
  }

  /** Watches these users from now on. One message contains all changes that accumulated before it could be sent. */
  async want(users: readonly string[]): Promise<void> {
    this.#wanted = users
    await this.#ask()
  }

  heard(user: string, state: PresenceState): void {
    if (!this.#asked.has(user)) return
    const presence = presenceOf(state)
    if (presence) this.#known.set(user, presence)
    else this.#known.delete(user)
    this.#port.show(new Map(this.#known))
  }

  end(): void {
    this.#state = 'ended'
    if (this.#known.size > 0) this.#port.show(new Map())
  }

  async #ask(): Promise<void> {
    if (this.#state !== 'resting') return
    this.#state = 'asking'
    for (let users = this.#wanted; !isSet(users, this.#asked); users = this.#wanted) {
      // The server counts each newly watched user as a message.
      await this.#port.pace.take(1 + users.filter(user => !this.#asked.has(user)).length)
      if (this.#hasEnded()) return
      this.#asked = new Set(users)
      const before = this.#known.size
      for (const user of [...this.#known.keys()]) if (!this.#asked.has(user)) this.#known.delete(user)
      // The server sends nothing more about users who are no longer watched, so their presence is discarded now [V8].
      if (this.#known.size < before) this.#port.show(new Map(this.#known))
      this.#port.send({ type: 'watch', owners: users })
    }
    this.#state = 'resting'
  }

  #hasEnded(): boolean {
    return this.#state === 'ended'
  }
}

function isSet(users: readonly string[], set: ReadonlySet<string>): boolean {
  return users.length === set.size && users.every(user => set.has(user))
}
