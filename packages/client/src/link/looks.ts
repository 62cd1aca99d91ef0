import { factsOf } from '@kith/shared'
import type { Store } from '../storage/store.ts'

/** Whom the app looked at since this device was opened: each session shows them, followed or not [V7]. */
export class Looks {
  readonly #store: Store
  readonly #owners: Set<string> = new Set()

  constructor(store: Store) {
    this.#store = store
  }

  add(owner: string): void {
    this.#owners.add(owner)
  }

  /** Those whom a session shows only if asked. */
  get unfollowed(): string[] {
    return [...this.#owners].filter(owner => !this.isFollowed(owner))
  }

  isFollowed(owner: string): boolean {
    return factsOf(this.#store.documents.roster.view, owner).isSubscribed
  }

  /** Before the server is asked, it is on disk that what it says of this owner ends with the session. */
  async mark(owner: string): Promise<void> {
    await this.#store.work(async ({ people }) => {
      await people.load([owner])
      people.setFetched(owner, true)
    })
  }
}
