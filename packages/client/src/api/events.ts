import type { Fields, KithError } from '@kith/shared'
import { Signal } from '../signal.ts'
import type { FieldTypes } from './app-types.ts'
import { checkFunction, wrong } from './arguments.ts'
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
export interface KithEvents<F extends FieldTypes<F> = Fields, L extends string = never> {
  /** The visible fields of a user changed, or those of the own profile on another device or tab. */
  profile: [profile: Profile<F, L>]
  /** A user whom this user follows has registered. */
  joined: [profile: Profile<F, L>]
  /** This user may no longer see these levels; they are deleted from this device [V7]. */
  withdrawn: [profile: Profile<F, L>, levels: readonly number[]]
  /**
   * The account of a user to whom this user gave a grant, or whom this user follows, was erased. The user id may now have
   * another holder: the grants and the follow do not count until `profile.confirm()` [D7].
   */
  changedHands: [profile: Profile<F, L>]
  message: [message: IncomingMessage]
  status: [status: Status]
  /** An operation failed for which no call waits, such as sending a stored change. */
  error: [error: KithError]
}

export class Listeners {
  readonly #signals: { [E in keyof KithEvents]: Signal<KithEvents[E]> } = {
    profile: new Signal(),
    joined: new Signal(),
    withdrawn: new Signal(),
    changedHands: new Signal(),
    message: new Signal(),
    status: new Signal(),
    error: new Signal(),
  }

  /** Subscribes to an event. Returns an unsubscribe function. Throws a `TypeError` for an unknown event. */
  on<E extends keyof KithEvents>(event: E, listener: (...details: KithEvents[E]) => void): () => void {
    const signal = Object.hasOwn(this.#signals, event) ? (this.#signals[event] as Signal<KithEvents[E]>) : undefined
    if (!signal) throw wrong('event', `one of ${Object.keys(this.#signals).join(', ')}`, event)
    checkFunction(listener, 'listener')
    return signal.on(listener)
  }

  /** Calls all listeners. */
  emit<E extends keyof KithEvents>(event: E, ...details: KithEvents[E]): void {
    this.#signals[event].emit(...details)
  }

  clear(): void {
    for (const signal of Object.values(this.#signals)) signal.clear()
  }
}
