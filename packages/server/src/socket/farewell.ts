import { type CloseCode, closeCodes, encodeRetryHint } from '@kith/shared'
import type { Unwritable } from '../relations/unwritable.ts'
import type { Feed } from '../relay/feed.ts'
import type { Context } from './context.ts'

/** The longest time for sending a device what it may see before it is disconnected. */
const longestLeavingMs = 10_000

/** The session that is about to end. */
interface LeavingSession {
  readonly context: Context
  readonly feed: Feed | undefined
  /** Accepts no further frames. */
  drain(): void
  close(code: CloseCode, reason: string): void
}

/** A device's change cannot be stored now. The device is sent what it may see, and reconnects later. */
export class Farewell {
  readonly #session: LeavingSession
  #isBegun = false

  constructor(session: LeavingSession) {
    this.#session = session
  }

  get isBegun(): boolean {
    return this.#isBegun
  }

  begin({ code, retryAfterMs = 0, reason }: Unwritable): void {
    if (this.#isBegun) return
    this.#isBegun = true
    const { feed, context } = this.#session
    // Later changes may build on the one that was not stored, for example a profile edit on the revocation before it [V6].
    this.#session.drain()
    const close = (): void =>
      this.#session.close(closeCodes.unavailable, `${encodeRetryHint(code, retryAfterMs)} ${reason}`)
    if (!feed) return close()
    feed.whenCaughtUp(close)
    context.clock.after(longestLeavingMs, close)
  }
}
