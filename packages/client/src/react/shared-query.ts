import type { Subscriber } from '../live/subscribable.ts'

/** The parts of a shared query. */
export interface QueryPlan<T> {
  /** The value that is shown before anything was read. */
  initial(): T
  isSame(a: T, b: T): boolean
  /** Begins to emit. Returns a function that ends it. */
  start(subscriber: Subscriber<T>): () => void
}

/**
 * One subscription for all components that show the same value, in the form that `useSyncExternalStore` takes. It begins with
 * the first component and ends with the last; then no value is kept. A component that replaces the last one in the same turn
 * finds it still subscribed. An error is thrown where the value would be shown.
 */
export class SharedQuery<T> {
  readonly #plan: QueryPlan<T>
  readonly #listeners: Set<() => void> = new Set()
  #shown: { value: T } | undefined
  #failure: { error: unknown } | undefined
  #stop: (() => void) | undefined

  /** Called when the last component has left. */
  readonly #onUnused: () => void

  constructor(plan: QueryPlan<T>, onUnused: () => void = () => undefined) {
    this.#plan = plan
    this.#onUnused = onUnused
  }

  readonly subscribe: (listener: () => void) => () => void = listener => {
    const own = (): void => listener() // A new function, so that each call has its own entry.
    this.#listeners.add(own)
    this.#stop ??= this.#plan.start({
      next: value => {
        this.#failure = undefined
        if (this.#show(value)) this.#tell()
      },
      error: error => {
        this.#failure = { error }
        this.#tell()
      },
    })
    return () => {
      this.#listeners.delete(own)
      queueMicrotask(() => this.#endIfUnused())
    }
  }

  readonly getSnapshot: () => T = () => {
    if (this.#failure) throw this.#failure.error
    if (!this.#stop || !this.#shown) this.#show(this.#plan.initial())
    return (this.#shown as { value: T }).value
  }

  /** Returns whether the value has changed. */
  #show(value: T): boolean {
    if (this.#shown && this.#plan.isSame(this.#shown.value, value)) return false
    this.#shown = { value }
    return true
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #endIfUnused(): void {
    if (this.#listeners.size > 0) return
    this.#stop?.()
    this.#stop = undefined
    this.#shown = undefined
    this.#failure = undefined
    this.#onUnused()
  }
}
