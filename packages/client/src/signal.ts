/** An event of one part of a client. Other parts subscribe to it; the part does not know them. */
export class Signal<Details extends unknown[]> {
  readonly #listeners: Set<(...details: Details) => void> = new Set()

  /** Subscribes. Returns an unsubscribe function. */
  on(listener: (...details: Details) => void): () => void {
    const own = (...details: Details): void => listener(...details) // One entry per call, even for the same listener.
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Calls all listeners, as {@link tell} does. */
  emit(...details: Details): void {
    for (const listener of [...this.#listeners]) tell(listener, ...details)
  }

  clear(): void {
    this.#listeners.clear()
  }
}

/**
 * Calls a function of the app. Its error becomes an unhandled rejection, so it changes nothing here: the other listeners are
 * still called, and a call that reports its progress ends as it would without the report.
 */
export function tell<Details extends unknown[]>(listener: (...details: Details) => void, ...details: Details): void {
  try {
    listener(...details)
  } catch (error) {
    void Promise.reject(error)
  }
}
