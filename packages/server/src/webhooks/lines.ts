/** Returns how long a user's events wait after failures in a row. */
export function waitMsAfter(failures: number): number {
  return Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs)
}

const firstWaitMs = 1_000
const longestWaitMs = 300_000

interface Line {
  /** No attempt before this time. */
  dueAtMs: number
  failures: number
  /** When the first event failed for the first time. `undefined` if it did not. */
  failingSinceMs: number | undefined
  /** The receiver itself failed: due immediately when it is back. */
  isOfReceiver: boolean
  isBusy: boolean
  /** More events were written since the user was taken. */
  hasNews: boolean
}

const newLine: Readonly<Line> = {
  dueAtMs: 0,
  failures: 0,
  failingSinceMs: undefined,
  isOfReceiver: false,
  isBusy: false,
  hasNews: false,
}

/**
 * The users with waiting events. The events of each user are sent one after the other. It holds names and times, but no events.
 * All times are of a clock that is never set.
 */
export class Lines {
  readonly #lines: Map<string, Line> = new Map()

  /** There are events of this user. */
  add(user: string): void {
    const known = this.#lines.get(user)
    if (known) known.hasNews = true
    else this.#lines.set(user, { ...newLine })
  }

  /** Takes a user whose events are due. The user that was added first comes first. */
  take(nowMs: number): string | undefined {
    for (const [user, line] of this.#lines) {
      if (line.isBusy || line.dueAtMs > nowMs) continue
      line.isBusy = true
      line.hasNews = false
      return user
    }
    return undefined
  }

  /** No waiting event of the user was found. Removes the user, unless an event was written since. */
  end(user: string): void {
    const line = this.#lines.get(user)
    this.#lines.delete(user)
    if (line?.hasNews) this.add(user)
  }

  /** The first event of the user was delivered or given up. */
  noteProgress(user: string): void {
    const line = this.#lines.get(user)
    if (!line) return
    line.failures = 0
    line.failingSinceMs = undefined
  }

  /** The first event of the user failed. Returns for how long it has. */
  noteFailure(user: string, nowMs: number): number {
    const line = this.#lines.get(user)
    if (!line) return 0
    line.failingSinceMs ??= nowMs
    return nowMs - line.failingSinceMs
  }

  /** More events of the user wait. Other users come first. */
  putBack(user: string): void {
    this.#lines.delete(user)
    this.add(user)
  }

  /** The user's events could not be sent, read or removed. */
  delay(
    user: string,
    { nowMs, leastMs, isOfReceiver }: { nowMs: number; leastMs: number; isOfReceiver: boolean },
  ): void {
    const line = this.#lines.get(user)
    if (!line) return
    this.#lines.delete(user)
    const failures = line.failures + 1
    const dueAtMs = nowMs + Math.max(leastMs, waitMsAfter(failures))
    const { failingSinceMs } = line
    this.#lines.set(user, { ...newLine, dueAtMs, failures, failingSinceMs, isOfReceiver })
  }

  /** The receiver is back. */
  resume(): void {
    for (const line of this.#lines.values()) if (line.isOfReceiver) line.dueAtMs = 0
  }

  /** When the next user is due; `undefined` while none waits. */
  nextDueMs(): number | undefined {
    let next: number | undefined
    for (const { dueAtMs, isBusy } of this.#lines.values()) {
      if (!isBusy && (next === undefined || dueAtMs < next)) next = dueAtMs
    }
    return next
  }

  clear(): void {
    this.#lines.clear()
  }
}
