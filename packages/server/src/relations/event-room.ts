import { randomBytes } from 'node:crypto'

/** The options of {@link EventRoom}. */
export interface EventRoomOptions {
  /** As many events as the outbox holds, dead letters among them. */
  mostEvents: number
  /** Whether the text of an undelivered message is in its event. */
  includesText: boolean
}

/** How often `events.missed` is written at most. */
const missedEveryMs = 60_000

/** With fewer waiting events than this part of the bound, the receiver keeps up, and nobody's events are in others' way. */
const idlePart = 0.01

/**
 * Which events a store writes: none without one, and none beyond its bound. Of that, the changes of one user take at most as
 * many places as they leave free for others, so no user fills the outbox while the receiver is down: one takes half of it at
 * most, and two leave a third. This is the dynamic threshold of Choudhury and Hahne (1998), as switches have it for packets.
 * What a user takes is counted from when few events waited.
 *
 * The count is looked at now and then, so several nodes may exceed the bound by what they write between two looks; each counts
 * its own users.
 */
export class EventRoom {
  readonly includesText: boolean
  readonly #most: number
  #left: number
  /** Events that each user's changes wrote since few waited. */
  readonly #takenBy: Map<string, number> = new Map()
  #missed = 0
  #missedToldMs = Number.NEGATIVE_INFINITY

  constructor({ mostEvents, includesText }: EventRoomOptions) {
    this.#most = mostEvents
    this.#left = mostEvents
    this.includesText = includesText
  }

  /**
   * Notes how much room is left.
   *
   * @param events - As many events as the outbox holds.
   * @param waiting - As many of them as are no dead letters.
   */
  noteCount(events: number, waiting: number = events): void {
    this.#left = this.#most - events
    if (waiting < idlePart * this.#most) this.#takenBy.clear()
  }

  /** How many events were not written for want of room. */
  get missed(): number {
    return this.#missed
  }

  /**
   * Takes the room of one event.
   *
   * @param user - Whose change causes it.
   * @param nowMs - The time, in milliseconds since 1970.
   * @returns Whether the event is written; `instead`: one that says that events are missing.
   */
  take(user: string, nowMs: number): 'event' | 'instead' | 'nothing' {
    const taken = this.#takenBy.get(user) ?? 0
    if (taken < this.#left) {
      this.#takenBy.set(user, taken + 1)
      this.#left--
      return 'event'
    }
    this.#missed++
    if (nowMs - this.#missedToldMs < missedEveryMs) return 'nothing'
    this.#missedToldMs = nowMs
    return 'instead'
  }

  /**
   * Makes the random part of an event's id.
   *
   * @returns 12 characters of base64url.
   */
  newTag(): string {
    return randomBytes(9).toString('base64url')
  }
}
