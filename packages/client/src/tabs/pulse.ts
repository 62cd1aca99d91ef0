import type { Status } from '../api/events.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { TabChannel } from './channel.ts'
import type { Lease } from './lease.ts'

/** How often a tab without the socket asks whether the one that has it is alive, in milliseconds. */
const askEveryMs = 1_000
/**
 * The longest time between two questions that counts as silence, in milliseconds. A tab whose own timers come late, as in
 * the background or after it stood still itself, may not have looked yet at an answer that is there: one late question
 * alone proves nothing.
 */
const mostCountedMs = 3_000
/** Unanswered for so long, after the second until the first question: it is not known to have a connection, in milliseconds. */
const silentMs = 4_000
/** Unanswered for so long it counts as standing still, in milliseconds; some tabs wait longer, so that not all act at once. */
const deadMs = 9_000
const spreadMs = 2_000

type Beat = { type: 'ask' } | { type: 'alive'; status: Status }

export interface PulsePort {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly channel: TabChannel
  /** The status of the connection of this tab, while it has the socket. */
  status(): Status
  /** The tab with the socket is alive, and says this of its connection. */
  heard(status: Status): void
  /** It has not answered for some time. */
  silent(): void
  /** It has not answered for so long that this tab is to take its place. */
  takeOver(): void
}

/**
 * Whether the tab that has the socket is alive. The other tabs ask, it answers: messages between tabs are not slowed down
 * in the background as timers are, so a healthy tab always answers at once.
 */
export class Pulse {
  readonly #port: PulsePort
  #lease: Lease | undefined
  #cancelTick: () => void = () => undefined
  #tickedAt = 0
  /** This tab's last question has not been answered. */
  #isAsking = false
  #silenceMs = 0
  #isSilent = false
  #deadMs = deadMs

  constructor(port: PulsePort) {
    this.#port = port
    port.channel.onmessage = ({ data }) => this.#hear(data as Beat)
  }

  /** Another tab has the socket. */
  follow(): void {
    this.#lease = undefined
    this.#deadMs = deadMs + this.#port.randomness.fraction() * spreadMs
    this.#answered()
    this.#tick()
  }

  /** This tab has the socket. */
  lead(lease: Lease): void {
    this.#cancelTick()
    this.#lease = lease
    this.tell()
  }

  /** Lets the other tabs hear the status, if this one has the socket. */
  tell(): void {
    if (this.#lease?.isCertain) this.announce()
    else this.#lease?.verify().catch(() => undefined) // Verifying announces.
  }

  /** To be called by a lease only, which knows that this tab has the socket. */
  announce(): void {
    this.#lease?.extend()
    this.#post({ type: 'alive', status: this.#port.status() })
  }

  close(): void {
    this.#cancelTick()
    this.#lease = undefined
    this.#port.channel.onmessage = null
    this.#port.channel.close()
  }

  #hear(beat: Beat): void {
    if (beat.type === 'ask') this.tell()
    else if (!this.#lease) {
      this.#answered()
      this.#port.heard(beat.status)
    }
  }

  #answered(): void {
    this.#isAsking = false
    this.#isSilent = false
    this.#silenceMs = 0
  }

  #tick(): void {
    const { clock } = this.#port
    this.#cancelTick = clock.after(askEveryMs, () => this.#tick())
    const nowMs = clock.elapsed()
    if (this.#isAsking) this.#silenceMs += Math.min(nowMs - this.#tickedAt, mostCountedMs)
    this.#tickedAt = nowMs
    this.#isAsking = true
    this.#post({ type: 'ask' })
    if (this.#silenceMs >= silentMs && !this.#isSilent) {
      this.#isSilent = true
      this.#port.silent()
    }
    if (this.#silenceMs < this.#deadMs) return
    this.#silenceMs = 0 // If taking over comes to nothing, it is tried again.
    this.#port.takeOver()
  }

  #post(beat: Beat): void {
    this.#port.channel.postMessage(beat)
  }
}
