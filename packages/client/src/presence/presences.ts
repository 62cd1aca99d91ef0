import type { Clock } from '../clock.ts'
import { Signal } from '../signal.ts'
import { type Presence, type PresenceByUser, samePresence } from './presence.ts'

/** The default number of users whose presence a server sends to one device [S3]. */
export const mostWatched = 256
/** Subscriptions that begin or end within this time are sent in one message, in milliseconds. */
const gatheringMs = 50

/** The users whose presence this tab's app shows, and their known presence; without a connection, nothing is known. */
export class Presences {
  /** Fires with the users to watch from now on, the newest first. */
  readonly wanted: Signal<[users: readonly string[]]> = new Signal()
  readonly #clock: Clock
  /** The listeners by user, the newest last. */
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

  /**
   * Calls `listener` when the known presence of a user changes. Returns an unsubscribe function. The user is watched until the
   * last listener unsubscribes.
   */
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

  /** Shows all presence that is known now. */
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
