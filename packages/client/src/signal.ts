/** What one part of a client tells others: they subscribe, and it does not know them. */
export class Signal<Details extends unknown[]> {
  readonly #listeners: Set<(...details: Details) => void> = new Set()

  /** Returns a function that unsubscribes. */
  on(listener: (...details: Details) => void): () => void {
    const own = (...details: Details): void => listener(...details) // One entry per call, also for the same listener.
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Calls all listeners. An error that a listener throws becomes an unhandled rejection, so the others are still called. */
  emit(...details: Details): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(...details)
      } catch (error) {
        void Promise.reject(error)
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
