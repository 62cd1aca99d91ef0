import { randomBytes } from 'node:crypto'

/** The options of {@link EventRoom}. */
export interface EventRoomOptions {
  /** The largest number of events in the outbox, including dead letters. */
  mostEvents: number
  /** Whether the event of an undelivered message contains the text. */
  includesText: boolean
}

/** The shortest time between two `events.missed`. */
const missedEveryMs = 60_000

/** If fewer events wait than this fraction of the bound, the receiver keeps up, and no user's events delay those of others. */
const idlePart = 0.01

/**
 * Decides which events a store writes: none if it has no `EventRoom`, and none above the bound. Within the bound, the changes
 * of one user may take at most as many places as remain free for others, so no user can fill the outbox while the receiver is
 * down. One user takes at most half of it, and two users leave a third. This is the dynamic threshold of Choudhury and Hahne
 * (1998), which switches use for packets. The places that a user takes are counted from the last time when few events waited.
 *
 * The count is read from time to time. So several nodes may exceed the bound by the events that they write between two reads.
 * Each node counts its own users.
 */
export class EventRoom {
  readonly includesText: boolean
  readonly #most: number
  #left: number
  /** The number of events that each user's changes have written since few events waited. */
  readonly #takenBy: Map<string, number> = new Map()
  #missed = 0
  #missedToldMs = Number.NEGATIVE_INFINITY

  constructor({ mostEvents, includesText }: EventRoomOptions) {
    this.#most = mostEvents
    this.#left = mostEvents
    this.includesText = includesText
  }

  /**
   * Updates how much room is left.
   *
   * @param events - The number of events in the outbox.
   * @param waiting - How many of them are not dead letters.
   */
  noteCount(events: number, waiting: number = events): void {
    this.#left = this.#most - events
    if (waiting < idlePart * this.#most) this.#takenBy.clear()
  }

  /** The number of events that were not written because there was no room. */
  get missed(): number {
    return this.#missed
  }

  /**
   * Takes the room of one event.
   *
   * @param user - The user whose change causes the event.
   * @param nowMs - The time, in milliseconds since 1970.
   * @returns Whether the event is written. `instead`: an event is written that says that events are missing.
   */
  take(user: string, nowMs: number): 'event' | 'instead' | 'nothing' {
    const taken = this.#takenBy.get(user) ?? 0
    if (taken < this.#left) {
      this.#takenBy.set(user, taken + 1)
      this.#left--
      return 'event'
    }
    this.#missed++
    // The machine's clock may have been set back.
    if (Math.abs(nowMs - this.#missedToldMs) < missedEveryMs) return 'nothing'
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
