import type { Commit, Watcher } from '../relations/store.ts'
import type { Unwritable } from '../relations/unwritable.ts'

/** The listeners of commits, in the order in which they were added. */
export class CommitListeners {
  readonly #listeners: Set<Watcher> = new Set()

  add(listener: Watcher): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A batch is about to be written. Resolves when all that is being handed over has been [V4]. */
  async announce(): Promise<void> {
    await Promise.all([...this.#listeners].map(listener => listener.writing?.()))
  }

  committed(commits: readonly Commit[]): void {
    for (const listener of this.#listeners) listener.committed(commits)
  }

  failed(): void {
    for (const listener of this.#listeners) listener.failed?.()
  }

  refusing(reason: Unwritable | undefined): void {
    for (const listener of this.#listeners) listener.refusing?.(reason)
  }
}
