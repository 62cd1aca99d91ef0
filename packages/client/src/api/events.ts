import type { KithError } from '@kith/shared'
import type { Profile } from './contact-profile.ts'

/** Whether there is a connection, and whether this device and the server have exchanged everything. */
export type Status = 'offline' | 'connecting' | 'syncing' | 'synced'

/** A direct message to this user. */
export interface IncomingMessage {
  from: string
  text: string
  /** Chosen by the sender; the same on every device that receives the message. */
  id: string
}

/** The arguments of each event's listeners. */
export interface KithEvents {
  /** The visible fields of a user changed, or those of the own profile on another device or tab. */
  profile: [profile: Profile]
  /** A user whom this user follows has registered. */
  joined: [profile: Profile]
  /** This user may no longer see these levels; they are deleted from this device [V7]. */
  withdrawn: [profile: Profile, levels: readonly number[]]
  /**
   * The account of a user to whom this user gave a grant, or whom this user follows, was erased. The user id may have another
   * holder now: the grants and the follow do not count until `profile.confirm()` [D7].
   */
  changedHands: [profile: Profile]
  message: [message: IncomingMessage]
  status: [status: Status]
  /** An operation failed that no call waits for, such as sending a stored change. */
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

  /** Subscribes to an event. Returns an unsubscribe function. Throws a `TypeError` for an unknown event. */
  on<E extends keyof KithEvents>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners[event] as Set<Listener<E>> | undefined
    if (!listeners || typeof listener !== 'function')
      throw new TypeError(`There is no event ${String(event)}, or the listener is not a function`)
    const own: Listener<E> = (...details) => listener(...details) // One entry per call, also for the same listener.
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** Calls all listeners. An error that a listener throws becomes an unhandled rejection, so the others are still called. */
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
