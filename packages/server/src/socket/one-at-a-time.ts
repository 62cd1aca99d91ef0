/**
 * Runs work that grows with a user's data one piece at a time for each user. Otherwise, twenty devices that reconnect together
 * would run twenty slices in each turn of the event loop, and hold the data that they read twenty times in memory [S3].
 */
export class OneAtATime {
  #lastByUser = new Map<string, Promise<unknown>>()

  /** Runs `work` when the user's earlier work has ended, successfully or not. Settles as `work` does. */
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

  /** The number of users with work in progress. */
  get size(): number {
    return this.#lastByUser.size
  }
}
