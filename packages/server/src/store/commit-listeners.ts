import type { Commit, CommitListener } from '../relations/commit.ts'
import type { Unwritable } from '../relations/unwritable.ts'

/**
 * The listeners of commits, in the order in which they were added. All of them are called, even if one fails: a listener that
 * was not called would wait for this batch forever, and so would the next batch. Listeners handle their own errors. An error
 * that a listener throws nevertheless becomes an uncaught exception of the process, after all listeners were called.
 */
export class CommitListeners {
  readonly #listeners: Set<CommitListener> = new Set()

  add(listener: CommitListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * A batch is about to be written. Resolves when everything that is being handed over has been handed over [V4]. Rejects if a
   * listener does, after all of them have settled.
   */
  async announce(): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#listeners].map(async listener => listener.writing?.()))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  committed(commits: readonly Commit[]): void {
    this.#call(listener => listener.committed(commits))
  }

  failed(): void {
    this.#call(listener => listener.failed?.())
  }

  /** The first position at which the result of a read waits to be handed over, if any. */
  firstAwaited(): number | undefined {
    let first: number | undefined
    for (const listener of this.#listeners) {
      const awaited = listener.firstAwaited?.()
      if (awaited !== undefined && (first === undefined || awaited < first)) first = awaited
    }
    return first
  }

  lost(): void {
    this.#call(listener => listener.lost?.())
  }

  refusing(reason: Unwritable | undefined): void {
    this.#call(listener => listener.refusing?.(reason))
  }

  #call(call: (listener: CommitListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
