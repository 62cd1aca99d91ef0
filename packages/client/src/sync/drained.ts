import { dropHidden } from '../database/incoming-frames.ts'
import { droppedAndWanted } from '../database/pending-refetches.ts'
import { readMeta } from '../database/schema.ts'
import type { Store } from '../database/store.ts'
import type { Barriers } from './barriers.ts'
import type { ProfileFetches } from './profile-fetches.ts'
import type { SyncWaiters } from './sync-waiters.ts'

interface DrainedPort {
  readonly store: Store
  readonly barriers: Barriers
  readonly fetches: ProfileFetches
  readonly waiters: SyncWaiters
  /** Runs work that the caller does not wait for; if it fails, the session ends. */
  unlessEnded(work: Promise<unknown>): void
}

/** What a session does whenever all that was unsent at some moment is on the server's disk. */
export class Drained {
  readonly #port: DrainedPort
  #settled: Promise<void> | undefined

  constructor(port: DrainedPort) {
    this.#port = port
  }

  /** Asks again for those that were dropped and are wanted, and lets waits for a sync go on. */
  async proceed(): Promise<void> {
    const { store, barriers, fetches, waiters } = this.#port
    this.#settled ??= this.#settle()
    await this.#settled
    for (const [owner, drop] of await droppedAndWanted(store)) {
      const fetchAgain = async (): Promise<void> => {
        if (await fetches.again(owner)) await store.work(async ({ people }) => people.settleDrop(owner, drop))
      }
      this.#port.unlessEnded(fetchAgain())
    }
    await fetches.answeredAgain()
    await waiters.progress(() => barriers.raise(true))
  }

  /** Once a session: what a feed that began from the start did not repeat is dropped [V7]. */
  async #settle(): Promise<void> {
    const { store, barriers } = this.#port
    if (!(await store.use(db => readMeta(db, 'hasHidden')))) return
    await barriers.raise(true)
    await dropHidden(store)
  }
}
