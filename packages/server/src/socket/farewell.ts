import { type CloseCode, closeCodes, encodeRetryHint } from '@kith/shared'
import type { Unwritable } from '../relations/unwritable.ts'
import type { Feed } from '../relay/feed.ts'
import type { Context } from './context.ts'

/** How long a device that is to leave may take to get what it may see. */
const longestLeavingMs = 10_000

/** The session that is to end. */
interface LeavingSession {
  readonly context: Context
  readonly feed: Feed | undefined
  /** Takes nothing more in. */
  drain(): void
  close(code: CloseCode, reason: string): void
}

/** What a device sent cannot be stored now: it takes along what it may see, and comes back later. */
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
    // What comes after may build on what was not stored: a profile edit on the revocation before it [V6].
    this.#session.drain()
    const close = (): void =>
      this.#session.close(closeCodes.unavailable, `${encodeRetryHint(code, retryAfterMs)} ${reason}`)
    if (!feed) return close()
    feed.whenCaughtUp(close)
    context.clock.after(longestLeavingMs, close)
  }
}
