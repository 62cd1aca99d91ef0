import { dropHidden } from '../database/incoming-frames.ts'
import { readMeta } from '../database/meta.ts'
import { droppedAndWanted } from '../database/pending-refetches.ts'
import type { Barriers } from './barriers.ts'
import type { ProfileFetches } from './profile-fetches.ts'
import type { SessionPort } from './session-port.ts'

/** The work of a session whenever all changes that were unsent at some moment are on the server's disk. */
export class Drained {
  readonly #port: SessionPort
  readonly #barriers: Barriers
  readonly #fetches: ProfileFetches
  #settled: Promise<void> | undefined

  constructor(port: SessionPort, barriers: Barriers, fetches: ProfileFetches) {
    this.#port = port
    this.#barriers = barriers
    this.#fetches = fetches
  }

  /**
   * Fetches again the dropped profiles that are wanted, and lets `whenSynced` resolve. `unlessEnded` receives work that nothing
   * waits for; if it fails, the session ends.
   */
  async progress(unlessEnded: (work: Promise<unknown>) => void): Promise<void> {
    const { store, waiters } = this.#port
    this.#settled ??= this.#settle()
    await this.#settled
    for (const [owner, drop] of await droppedAndWanted(store)) {
      const fetchAgain = async (): Promise<void> => {
        if (await this.#fetches.again(owner)) await store.work(async ({ people }) => people.settleDrop(owner, drop))
      }
      unlessEnded(fetchAgain())
    }
    await this.#fetches.answeredAgain()
    await waiters.progress(() => this.#barriers.raise(true))
  }

  /** Once a session: drops the replicas that a feed from the start did not repeat [V7]. */
  async #settle(): Promise<void> {
    const { store } = this.#port
    if (!(await store.use(db => readMeta(db, 'hasHidden')))) return
    await this.#barriers.raise(true)
    await dropHidden(store)
  }
}
