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
  /** The receiver itself failed: due immediately when it is back. */
  isOfReceiver: boolean
  isBusy: boolean
  /** More events were written since the user was taken. */
  hasNews: boolean
}

/**
 * The users with waiting events. The events of each user are sent one after the other. It holds names and times, but no events.
 */
export class Lines {
  readonly #lines: Map<string, Line> = new Map()

  /** There are events of this user. */
  add(user: string): void {
    const known = this.#lines.get(user)
    if (known) known.hasNews = true
    else this.#lines.set(user, { dueAtMs: 0, failures: 0, isOfReceiver: false, isBusy: false, hasNews: false })
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
    if (line) line.failures = 0
  }

  /** More events of the user wait. Other users come first. */
  putBack(user: string): void {
    this.#lines.delete(user)
    this.add(user)
  }

  /** The attempt failed. */
  delay(
    user: string,
    { nowMs, leastMs, isOfReceiver }: { nowMs: number; leastMs: number; isOfReceiver: boolean },
  ): void {
    const line = this.#lines.get(user)
    if (!line) return
    this.#lines.delete(user)
    const failures = line.failures + 1
    const dueAtMs = nowMs + Math.max(leastMs, waitMsAfter(failures))
    this.#lines.set(user, { dueAtMs, failures, isOfReceiver, isBusy: false, hasNews: false })
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
