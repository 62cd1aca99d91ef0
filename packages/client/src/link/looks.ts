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

  /** Those whom a session shows only if asked, marked as such. */
  async unfollowed(): Promise<string[]> {
    const owners = [...this.#owners].filter(owner => !this.isFollowed(owner))
    if (owners.length > 0) await this.mark(owners)
    return owners
  }

  isFollowed(owner: string): boolean {
    return factsOf(this.#store.documents.roster.view, owner).isSubscribed
  }

  /** Before the server is asked, it is on disk that what it says of these owners ends with the session [V7]. */
  async mark(owners: readonly string[]): Promise<void> {
    await this.#store.work(async ({ people }) => {
      await people.load(owners)
      for (const owner of owners) people.setFetched(owner, true)
    })
  }
}
