/** An event of one part of a client. Other parts subscribe to it; the part does not know them. */
export class Signal<Details extends unknown[]> {
  readonly #listeners: Set<(...details: Details) => void> = new Set()

  /** Subscribes. Returns an unsubscribe function. */
  on(listener: (...details: Details) => void): () => void {
    const own = (...details: Details): void => listener(...details) // One entry per call, even for the same listener.
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Calls all listeners. An error in a listener becomes an unhandled rejection, so the other listeners are still called. */
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
