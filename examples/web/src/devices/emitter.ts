/** Notifies its listeners that something changed. */
export class Emitter {
  readonly #listeners: Set<() => void> = new Set()

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  emit(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
