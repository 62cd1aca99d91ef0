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

/**
 * Which events a store writes: none without one, and none beyond its bound. The count is looked at now and then, so several
 * nodes may exceed the bound by what they write between two looks.
 */
export class EventRoom {
  readonly includesText: boolean
  readonly #most: number
  #left: number
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
   */
  noteCount(events: number): void {
    this.#left = this.#most - events
  }

  /** How many events were not written for want of room. */
  get missed(): number {
    return this.#missed
  }

  /**
   * Takes the room of one event.
   *
   * @param nowMs - The time, in milliseconds since 1970.
   * @returns Whether the event is written; `instead`: one that says that events are missing.
   */
  take(nowMs: number): 'event' | 'instead' | 'nothing' {
    if (this.#left > 0) {
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
