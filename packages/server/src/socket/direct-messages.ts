import { type CommunicationReason, type ErrorCode, type Limits, messagingBetween, utf8Length } from '@kith/shared'
import type { Delivery, ServerMessage } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import type { Device } from '../device.ts'
import { mayKnowPresence } from '../presence/may-know-presence.ts'
import { standingOf } from '../relations/standing.ts'
import type { Store, View } from '../relations/store.ts'
import type { Relay } from '../relay/relay.ts'
import { type LookupFailure, lookUp } from './lookup.ts'

/** A message counts as undelivered when no device has taken it by then: early enough for a sender who waits 10 s. */
const patienceMs = 9_000

/**
 * A sender who may not know whether the recipient is there gets the outcome so long after the message came, whatever becomes
 * of it. Longer than the server and a device take for a message, so the outcome comes after all that they do [V10].
 */
const unconfirmedMs = 1_000

interface Letter {
  id: string
  to: string
  text: string
}

/** Direct messages between users who may communicate: handed to the devices that are here, and kept nowhere. */
export class DirectMessages {
  #store: Store
  #relay: Relay
  #limits: Limits
  #clock: Clock
  #waiting = new Map<string, (state: Delivery) => void>()

  constructor(options: { store: Store; relay: Relay; limits: Limits; clock: Clock }) {
    this.#store = options.store
    this.#relay = options.relay
    this.#limits = options.limits
    this.#clock = options.clock
  }

  async send(session: Device, letter: Letter): Promise<void> {
    const { id, to, text } = letter
    if (utf8Length(text) > this.#limits.messageBytes) return refuse(session, id, 'message-too-long', 0)
    // The time counts from here, before anything is read.
    const unconfirmed = new Promise<Delivery>(resolve => {
      this.#clock.after(unconfirmedMs, () => resolve('unconfirmed'))
    })
    const lookup = await this.#lookUp(session, to)
    if (lookup) return refuse(session, id, lookup.code, lookup.retryAfterMs)
    let outcome = unconfirmed
    await this.#relay.reads.read(
      () => this.#store.views(session.user, [to]),
      ({ views: [view] }) => {
        const mayKnow = this.#handOver(session, letter, view as View)
        if (mayKnow) outcome = mayKnow
      },
    )
    session.say({ type: 'outcome', id, state: await outcome })
  }

  /** A device of `user` took the message. */
  received(user: string, { from, id }: { from: string; id: string }): void {
    this.#waiting.get(keyOf(from, user, id))?.('delivered')
  }

  async #lookUp(session: Device, to: string): Promise<LookupFailure | undefined> {
    return session.user === to ? undefined : lookUp(this.#store, session, to)
  }

  /**
   * Hands the message to the recipient's devices, if it may reach them, by both users' state on disk at this moment [V4].
   * Returns the outcome for a sender who may know whether the recipient is online; else `undefined`. If the
   * recipient takes no messages of such a sender, it looks as if no device had answered.
   */
  #handOver(session: Device, { id, to, text }: Letter, view: View): Promise<Delivery> | undefined {
    const from = session.user
    const reason = messagingOf(from, to, view)
    const isAllowed = reason === 'allowed' || reason === 'self'
    const message: ServerMessage = { type: 'message', id, from, text }
    const receivers = [...this.#relay.sessionsOf(to)].filter(other => other !== session && other.hasArrived)
    const isAnswered = from === to || (session.feed !== undefined && mayKnowPresence(session.feed, to, view))
    const outcome = isAnswered ? this.#outcomeOf(keyOf(from, to, id), receivers.length > 0) : undefined
    if (isAllowed) for (const receiver of receivers) receiver.say(message)
    return outcome
  }

  #outcomeOf(key: string, isAnyoneHere: boolean): Promise<Delivery> {
    if (!isAnyoneHere) return Promise.resolve('undelivered')
    return new Promise(resolve => {
      const settle = (state: Delivery): void => {
        cancel()
        if (this.#waiting.get(key) === settle) this.#waiting.delete(key)
        resolve(state)
      }
      const cancel = this.#clock.after(patienceMs, () => settle('undelivered'))
      this.#waiting.set(key, settle)
    })
  }
}

/** Tells the sender that a limit kept the message from being sent on. */
export function refuse(session: Device, id: string, code: ErrorCode, retryAfterMs: number): void {
  session.say({ type: 'outcome', id, state: 'undelivered', refusal: { code, retryAfterMs } })
}

/** Whether messages of one user reach another, by the records of both. */
export function messagingOf(from: string, to: string, view: View): CommunicationReason {
  return messagingBetween({
    ...standingOf(view, from === to),
    messageAudience: view.owner.messageAudience ?? 'everyone',
  })
}

function keyOf(from: string, to: string, id: string): string {
  return JSON.stringify([from, to, id])
}
