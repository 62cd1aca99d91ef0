import { defaultContentLimits, KithError } from '@kith/shared'
import type { Clock } from '../clock.ts'
import type { StoredFrame } from '../database/incoming-frames.ts'
import type { Store } from '../database/store.ts'
import { frameOverheadBytes } from './frame-sizes.ts'

/** How long a device waits for the welcome after its `hello`, in milliseconds. */
const welcomeMs = 60_000

export interface WelcomeWaitPort {
  readonly clock: Clock
  /** Knows the limit of a roster, as far as this device does. */
  readonly store: Store
  /** The session ends with this error. */
  broken(error: KithError): void
}

/**
 * Holds frames before the welcome. No frame is stored before the incarnation that it belongs to [D7]. A server sends updates of
 * the roster to every socket of the user, even before the device's `hello`; these are held here. Their size and the time are
 * bounded, since a server may never welcome a device.
 */
export class WelcomeWait {
  readonly #port: WelcomeWaitPort
  #held: StoredFrame[] = []
  #bytes = 0
  #isOver = false
  #cancelTimer: () => void = () => undefined

  constructor(port: WelcomeWaitPort) {
    this.#port = port
  }

  /** The device has sent its `hello`. */
  begin(): void {
    if (this.#isOver) return
    this.#cancelTimer = this.#port.clock.after(welcomeMs, () => {
      this.#fail(`The server did not welcome this device within ${welcomeMs / 1000} s`)
    })
  }

  /** A frame has arrived. A welcome ends the wait before it is stored: later frames have no bound. */
  arrived(type: string, bytes: number): void {
    if (this.#isOver) return
    if (type === 'welcome') return this.#stop()
    this.#bytes += bytes + frameOverheadBytes
    const most = 2 * Math.max(defaultContentLimits.rosterBytes, this.#port.store.documents.limits.rosterBytes)
    if (this.#bytes > most) this.#fail('The server sent more before its welcome than a device holds')
  }

  /** Returns the frames to store: none before the welcome, then the welcome and all earlier frames. */
  release(taken: readonly StoredFrame[]): readonly StoredFrame[] {
    this.#held.push(...taken)
    const welcome = taken.find(({ type }) => type === 'welcome')
    if (!welcome) return []
    const others = this.#held.filter(frame => frame !== welcome)
    this.#held = []
    return [welcome, ...others]
  }

  end(): void {
    this.#stop()
    this.#held = []
  }

  #fail(message: string): void {
    this.#stop()
    this.#port.broken(new KithError('unavailable', message))
  }

  #stop(): void {
    this.#isOver = true
    this.#cancelTimer()
  }
}
