import type { KithError } from '@kith/shared'
import type { Profile } from './contact-profile.ts'

/** Whether there is a connection, and whether this device and the server have told each other all. */
export type Status = 'offline' | 'connecting' | 'syncing' | 'synced'

/** A direct message that this device took. */
export interface IncomingMessage {
  from: string
  text: string
  /** The sender's own; the same message has the same one on every device. */
  id: string
}

/** What listeners are called with, by event. */
export interface KithEvents {
  /** Somebody's fields changed, as this device sees them. */
  profile: [profile: Profile]
  /** Somebody whom this user follows has registered. */
  joined: [profile: Profile]
  /** This user may no longer see these levels; nothing of them is left on this device [V7]. */
  withdrawn: [profile: Profile, levels: readonly number[]]
  /**
   * The account of somebody to whom this user gave a grant or whom they follow was erased: the user id may have another
   * holder, to whom nothing of it counts until `profile.confirm()` [D7].
   */
  changedHands: [profile: Profile]
  message: [message: IncomingMessage]
  status: [status: Status]
  /** Something failed that no call is waiting for. */
  error: [error: KithError]
}

type Listener<E extends keyof KithEvents> = (...details: KithEvents[E]) => void

export class Listeners {
  readonly #listeners: { [E in keyof KithEvents]: Set<Listener<E>> } = {
    profile: new Set(),
    joined: new Set(),
    withdrawn: new Set(),
    changedHands: new Set(),
    message: new Set(),
    status: new Set(),
    error: new Set(),
  }

  /** Calls `listener` at each such event, until the function that comes back is called. */
  on<E extends keyof KithEvents>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners[event] as Set<Listener<E>> | undefined
    if (!listeners || typeof listener !== 'function') throw new TypeError(`No event is called ${String(event)}`)
    const own: Listener<E> = (...details) => listener(...details) // So that each call of `on` has its own.
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** A listener that throws harms no other: its error surfaces as the platform's unhandled rejections do. */
  emit<E extends keyof KithEvents>(event: E, ...details: KithEvents[E]): void {
    for (const listener of [...(this.#listeners[event] as Set<Listener<E>>)]) {
      try {
        listener(...details)
      } catch (error) {
        void Promise.reject(error)
      }
    }
  }

  clear(): void {
    for (const listeners of Object.values(this.#listeners)) listeners.clear()
  }
}
