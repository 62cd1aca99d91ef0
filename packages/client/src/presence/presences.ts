import type { Clock } from '../clock.ts'
import { Signal } from '../signal.ts'
import { type Presence, type PresenceByUser, samePresence } from './presence.ts'

/** The number of users whose presence a server sends to one device, by default [S3]. */
export const mostWatched = 256
/** What an app begins and ends to show within this is asked for in one message, in milliseconds. */
const gatheringMs = 50

/** Whose presence this tab's app shows, and what is known of it: nothing while there is no connection. */
export class Presences {
  /** The users to watch from then on, the newest first. */
  readonly wanted: Signal<[users: readonly string[]]> = new Signal()
  readonly #clock: Clock
  /** Who looks at whom, the newest last. */
  readonly #listeners: Map<string, Set<() => void>> = new Map()
  #known: PresenceByUser = new Map()
  #watched: readonly string[] = []
  #cancel: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(user: string): Presence | undefined {
    return this.#listeners.has(user) ? this.#known.get(user) : undefined
  }

  /** Calls `listener` whenever what is known of a user changes. They are watched until the last listener leaves. */
  listen(user: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(user) ?? new Set()
    this.#listeners.set(user, listeners.add(listener))
    this.#gather()
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#listeners.get(user) !== listeners) return
      this.#listeners.delete(user)
      this.#gather()
    }
  }

  /** This is all that is known now. */
  show(known: PresenceByUser): void {
    const before = this.#known
    this.#known = known
    for (const [user, listeners] of this.#listeners) {
      if (samePresence(before.get(user), known.get(user))) continue
      for (const listener of [...listeners]) listener()
    }
  }

  close(): void {
    this.#cancel?.()
  }

  #gather(): void {
    this.#cancel ??= this.#clock.after(gatheringMs, () => {
      this.#cancel = undefined
      const users = [...this.#listeners.keys()].reverse().slice(0, mostWatched)
      if (users.join('\n') === this.#watched.join('\n')) return
      this.#watched = users
      this.wanted.emit(users)
    })
  }
}
