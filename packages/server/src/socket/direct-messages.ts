import { type CommunicationReason, communicationBetween, type ErrorCode, type Limits, utf8Length } from '@kith/shared'
import type { ServerMessage } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import type { Relay } from '../relay/relay.ts'
import { standingOf } from '../store/standing.ts'
import type { Store, View } from '../store/store.ts'
import { type LookupFailure, lookUp } from './lookup.ts'
import type { Session } from './session.ts'

/** A message counts as undelivered when no device has taken it by then. */
const patienceMs = 10_000

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
  #waiting = new Map<string, (isDelivered: boolean) => void>()

  constructor(options: { store: Store; relay: Relay; limits: Limits; clock: Clock }) {
    this.#store = options.store
    this.#relay = options.relay
    this.#limits = options.limits
    this.#clock = options.clock
  }

  async send(session: Session, { id, to, text }: Letter): Promise<void> {
    const from = session.user
    if (utf8Length(text) > this.#limits.messageBytes) return refuse(session, id, 'message-too-long', 0)
    const lookup = await this.#lookUp(from, to)
    if (lookup) return refuse(session, id, lookup.code, lookup.retryAfterMs)
    const isDelivered = await this.#handOver(session, { id, to, text })
    session.say({ type: 'outcome', id, isDelivered })
  }

  /** A device of `user` took the message. */
  received(user: string, { from, id }: { from: string; id: string }): void {
    this.#waiting.get(keyOf(from, user, id))?.(true)
  }

  async #lookUp(from: string, to: string): Promise<LookupFailure | undefined> {
    return from === to ? undefined : lookUp(this.#store, from, to)
  }

  async #handOver(session: Session, { id, to, text }: Letter): Promise<boolean> {
    const from = session.user
    const reason = await this.#mayCommunicate(from, to)
    if (reason !== 'allowed' && reason !== 'self') return false
    const message: ServerMessage = { type: 'message', id, from, text }
    const receivers = [...this.#relay.sessionsOf(to)].filter(other => other !== session && other.feed)
    if (receivers.length === 0) return false
    return new Promise(resolve => {
      const key = keyOf(from, to, id)
      const settle = (isDelivered: boolean): void => {
        cancel()
        if (this.#waiting.get(key) === settle) this.#waiting.delete(key)
        resolve(isDelivered)
      }
      const cancel = this.#clock.after(patienceMs, () => settle(false))
      this.#waiting.set(key, settle)
      for (const receiver of receivers) (receiver as Session).say(message)
    })
  }

  /** By both users' state on disk; read again when a commit of theirs passed meanwhile. */
  async #mayCommunicate(from: string, to: string): Promise<CommunicationReason> {
    for (;;) {
      await this.#relay.settled([from, to])
      const since = this.#store.position
      const [view] = await this.#store.views(from, [to])
      if (!this.#relay.hasChangedSince(since, [from, to])) return communicationOf(from, to, view as View)
    }
  }
}

/** Tells the sender that a limit kept the message from being sent on. */
export function refuse(session: Session, id: string, code: ErrorCode, retryAfterMs: number): void {
  session.say({ type: 'outcome', id, isDelivered: false, refusal: { code, retryAfterMs } })
}

/** Whether two users may communicate, by the records of both. */
export function communicationOf(from: string, to: string, view: View): CommunicationReason {
  return communicationBetween(standingOf(view, from === to))
}

function keyOf(from: string, to: string, id: string): string {
  return JSON.stringify([from, to, id])
}
