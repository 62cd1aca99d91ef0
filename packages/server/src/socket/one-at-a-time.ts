/**
 * Work that grows with what a user owns, one piece at a time for each user: twenty devices that come back at once would
 * make twenty slices in each turn of the event loop, and hold what they read twenty times in memory [S3].
 */
export class OneAtATime {
  #lastByUser = new Map<string, Promise<unknown>>()

  /** Runs `work` when the user's work before it has ended, well or not. Settles as `work` does. */
  run(user: string, work: () => Promise<void>): Promise<void> {
    const mine = (this.#lastByUser.get(user) ?? Promise.resolve()).then(work)
    const ended = mine
      .catch(() => undefined) // Reported to the caller of `run`.
      .then(() => {
        if (this.#lastByUser.get(user) === ended) this.#lastByUser.delete(user)
      })
    this.#lastByUser.set(user, ended)
    return mine
  }

  /** Users who have work under way. */
  get size(): number {
    return this.#lastByUser.size
  }
}
