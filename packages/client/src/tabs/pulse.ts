import type { Status } from '../api/events.ts'
import type { Clock, Randomness } from '../clock.ts'
import type { TabChannel } from './channel.ts'
import type { Lease } from './lease.ts'

/** How often a tab without the socket asks whether the tab with the socket is alive, in milliseconds. */
const askEveryMs = 1_000
/**
 * The maximum time between two questions that counts as silence, in milliseconds. A tab whose own timers are late, as in the
 * background or after it was suspended, may not have read an answer that has already arrived. So one late question alone proves
 * nothing.
 */
const mostCountedMs = 3_000
/**
 * After this silence, counted from the first question, it is unknown whether the other tab has a connection, in milliseconds.
 */
const silentMs = 4_000
/**
 * After this silence, the other tab counts as suspended, in milliseconds; some tabs wait longer, so that not all act together.
 */
const deadMs = 9_000
const spreadMs = 2_000

/** A change raises `schemaNumber`, as for the other messages of tabs. */
type Beat = { type: 'ask' } | { type: 'alive'; status: Status }

export interface PulsePort {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly channel: TabChannel
  /** The status of this tab's connection, while it has the socket. */
  status(): Status
  /** The tab with the socket is alive, and reports the status of its connection. */
  heard(status: Status): void
  /** The tab with the socket has not answered for some time. */
  silent(): void
  /** The tab with the socket has not answered for so long that this tab must take over. */
  takeOver(): void
}

/**
 * Checks whether the tab that has the socket is alive. The other tabs ask, and it answers. Unlike timers, messages between tabs
 * are not slowed down in the background, so a healthy tab always answers immediately.
 */
export class Pulse {
  readonly #port: PulsePort
  #lease: Lease | undefined
  #cancelTick: () => void = () => undefined
  #tickedAt = 0
  /** This tab's last question is unanswered. */
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

  /** Announces the status to the other tabs, if this tab has the socket. */
  tell(): void {
    if (this.#lease?.isCertain) this.announce()
    else this.#lease?.verify().catch(() => undefined) // Verifying announces.
  }

  /** Only for the lease, which knows that this tab has the socket. */
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
    this.#silenceMs = 0 // If taking over fails, it is tried again.
    this.#port.takeOver()
  }

  #post(beat: Beat): void {
    this.#port.channel.postMessage(beat)
  }
}
