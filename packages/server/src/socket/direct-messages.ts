import { type Audience, type CommunicationReason, type ErrorCode, type Limits, utf8Length } from '@kith/shared'
import type { Delivery, ServerMessage } from '@kith/shared/wire'
import type { Clock } from '../clock.ts'
import type { Device } from '../device.ts'
import { mayKnowPresence } from '../presence/may-know-presence.ts'
import type { MessageAccounts, UndeliveredMessage } from '../relations/changes.ts'
import { messagingOf } from '../relations/standing.ts'
import type { Store } from '../relations/store.ts'
import { accountsOf, isOfAccounts, type Looked, type View } from '../relations/views.ts'
import type { Receiver, Relay } from '../relay/relay.ts'
import type { Letters } from './letters.ts'
import { type LookupFailure, lookUp } from './lookup.ts'

/**
 * A message is undelivered when no device on any node has acknowledged it by then. This is early enough for a sender who waits
 * 10 s.
 */
const patienceMs = 9_000

/**
 * A sender who may not know whether the recipient is online gets the outcome this long after the message arrived, in every
 * case. This is longer than the server and a device take for a message, so the outcome comes after all their work [V10].
 */
const unconfirmedMs = 1_000

/** Writes the event of a message that no device acknowledged. Never rejects. */
type NoteUndelivered = (message: UndeliveredMessage) => Promise<void>

interface Letter {
  id: string
  to: string
  text: string
}

/** Direct messages between users who may communicate. They are handed to the devices that are connected, and are not stored. */
export class DirectMessages {
  #store: Store
  #relay: Relay
  #limits: Limits
  #clock: Clock
  readonly #widest: Audience
  /** `undefined` if there are no other nodes. */
  #letters: Letters | undefined
  /** `undefined` if the app's backend is not notified of undelivered messages. */
  #noteUndelivered: NoteUndelivered | undefined
  #waiting = new Map<string, (state: Delivery) => void>()

  constructor(options: {
    store: Store
    relay: Relay
    limits: Limits
    clock: Clock
    /** The widest audience for the messages of any user; by default everyone. */
    widest?: Audience | undefined
    letters?: Letters | undefined
    noteUndelivered?: NoteUndelivered | undefined
  }) {
    this.#store = options.store
    this.#relay = options.relay
    this.#limits = options.limits
    this.#clock = options.clock
    this.#widest = options.widest ?? 'everyone'
    this.#letters = options.letters
    this.#noteUndelivered = options.noteUndelivered
    options.letters?.answer(letter => this.#deliver(letter))
  }

  async send(session: Device, letter: Letter): Promise<void> {
    const { id, to, text } = letter
    if (utf8Length(text) > this.#limits.messageBytes) return refuse(session, id, 'message-too-long', 0)
    // The time counts from here, before any record is read.
    const unconfirmed = new Promise<Delivery>(resolve => {
      this.#clock.after(unconfirmedMs, () => resolve('unconfirmed'))
    })
    const lookup = await this.#lookUp(session, to)
    if (lookup) return refuse(session, id, lookup.code, lookup.retryAfterMs)
    let outcome = unconfirmed
    await this.#relay.reads.read(
      () => this.#look(session.user, to),
      ({ views: [view], nodes = [] }) => {
        const mayKnow = this.#handOver(session, letter, view as View, nodes)
        if (mayKnow) outcome = mayKnow
      },
    )
    session.say({ type: 'outcome', id, state: await outcome })
  }

  /** Returns whether messages of one user reach another, from the records of both and the widest audience of this server. */
  messagingOf(from: string, to: string, view: View): CommunicationReason {
    return messagingOf(view, this.#widest, from === to)
  }

  /** A device of `user` acknowledged the message. */
  received(user: string, { from, id }: { from: string; id: string }): void {
    this.#waiting.get(keyOf(from, user, id))?.('delivered')
  }

  async #lookUp(session: Device, to: string): Promise<LookupFailure | undefined> {
    return session.user === to ? undefined : lookUp(this.#store, session, to)
  }

  /**
   * Reads both users. If there are other nodes, also looks up on which of them the recipient is, whether or not the sender may
   * know the recipient [V10].
   */
  #look(from: string, to: string): Promise<Looked & { nodes?: readonly string[] }> {
    const views = this.#store.views(from, [to])
    if (!this.#letters) return views
    return Promise.all([views, this.#letters.nodesOf(to)]).then(([looked, nodes]) => ({ ...looked, nodes }))
  }

  /**
   * Hands the message to the recipient's devices, if it may reach them, by both users' state on disk at this moment [V4].
   * Returns the outcome for a sender who may know whether the recipient is online; otherwise `undefined`. If the recipient
   * takes no messages from such a sender, the outcome is the same as if no device had answered. Other nodes check the message
   * again.
   */
  #handOver(
    session: Device,
    { id, to, text }: Letter,
    view: View,
    nodes: readonly string[],
  ): Promise<Delivery> | undefined {
    const from = session.user
    const isAllowed = this.#mayReach(from, to, view)
    const message: ServerMessage = { type: 'message', id, from, text }
    const receivers = this.#receiversOf(to).filter(other => other !== session)
    const isAnswered = from === to || (session.feed !== undefined && mayKnowPresence(session.feed, to, view))
    const isAnyoneThere = receivers.length + nodes.length > 0
    const isNoted = this.#noteUndelivered !== undefined && from !== to && (isAllowed || isAnswered)
    const taken = isAnswered || isNoted ? this.#outcomeOf(keyOf(from, to, id), isAnyoneThere) : undefined
    const accounts = accountsOf(view)
    const noted = { ...{ from, to, id, text, isAllowed, accounts }, widest: this.#widest }
    const settled = isNoted ? taken?.then(state => this.#noted(state, noted)) : taken
    const outcome = isAnswered ? settled : undefined
    if (!isAllowed) return outcome
    for (const receiver of receivers) receiver.say(message)
    for (const node of nodes) void this.#handTo(node, { from, to, id, text, accounts })
    return outcome
  }

  /**
   * The event is on disk before the sender gets the outcome. Its commit checks the message again. A message that may not reach
   * the recipient takes the same time [V10].
   */
  async #noted(state: Delivery, message: Omit<UndeliveredMessage, 'type'>): Promise<Delivery> {
    if (state === 'undelivered') await this.#noteUndelivered?.({ type: 'undelivered', ...message })
    return state
  }

  async #handTo(node: string, letter: Letter & { from: string; accounts: MessageAccounts }): Promise<void> {
    const isTaken = await this.#letters?.hand(node, { type: 'letter', ...letter }, patienceMs)
    if (isTaken) this.received(letter.to, letter)
  }

  /**
   * Hands a message from another node to the devices here, by both users' state on disk at this moment [V4]. If either account
   * was erased since the other node checked the message, it is not handed to the next holder of the id [D7].
   */
  async #deliver(letter: Letter & { from: string; accounts?: MessageAccounts | undefined }): Promise<boolean> {
    const { from, to, id, text, accounts } = letter
    let outcome: Promise<Delivery> | undefined
    await this.#relay.reads.read(
      () => this.#store.views(from, [to]),
      ({ views: [view] }) => {
        if (!this.#mayReach(from, to, view as View)) return
        if (accounts && !isOfAccounts(view as View, accounts)) return
        const receivers = this.#receiversOf(to)
        outcome = this.#outcomeOf(keyOf(from, to, id), receivers.length > 0)
        for (const receiver of receivers) receiver.say({ type: 'message', id, from, text })
      },
    )
    return (await outcome) === 'delivered'
  }

  #mayReach(from: string, to: string, view: View): boolean {
    const reason = this.messagingOf(from, to, view)
    return reason === 'allowed' || reason === 'self'
  }

  #receiversOf(user: string): Receiver[] {
    return [...this.#relay.sessionsOf(user)].filter(({ hasArrived }) => hasArrived)
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

/** Notifies the sender that a limit kept the message from being sent on. */
export function refuse(session: Device, id: string, code: ErrorCode, retryAfterMs: number): void {
  session.say({ type: 'outcome', id, state: 'undelivered', refusal: { code, retryAfterMs } })
}

function keyOf(from: string, to: string, id: string): string {
  return JSON.stringify([from, to, id])
}
