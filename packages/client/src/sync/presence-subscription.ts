import type { ClientMessage, PresenceState } from '@kith/shared/wire'
import { type Presence, type PresenceByUser, presenceOf } from '../presence/presence.ts'
import type { RateLimiter } from './rate-limiter.ts'

export interface WatchingPort {
  readonly pace: RateLimiter
  send(message: ClientMessage): void
  /** This is all that is known now. */
  show(known: PresenceByUser): void
}

/** Whom one session watches, and what the server says of them. Nothing of it outlives the session. */
export class Watching {
  readonly #port: WatchingPort
  #wanted: readonly string[] = []
  #asked: ReadonlySet<string> = new Set()
  readonly #known: Map<string, Presence> = new Map()
  #state: 'new' | 'resting' | 'asking' | 'ended' = 'new'

  constructor(port: WatchingPort) {
    this.#port = port
  }

  /** The hello was sent. */
  async start(): Promise<void> {
    this.#state = 'resting'
    await this.#ask()
  }

  /** These are to be watched from now on: one message for all changes since the last could be sent. */
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
      // The server counts each who is new to it as a message.
      await this.#port.pace.take(1 + users.filter(user => !this.#asked.has(user)).length)
      if (this.#hasEnded()) return
      this.#asked = new Set(users)
      const before = this.#known.size
      for (const user of [...this.#known.keys()]) if (!this.#asked.has(user)) this.#known.delete(user)
      // Of users who are no longer watched, no later message would say that their presence is to be forgotten [V8].
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
