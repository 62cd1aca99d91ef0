import { countingFacts, factsOf } from '@kith/shared'
import type { Store } from '../database/store.ts'

/** The users whose profiles the app accessed since this device was opened. Each session fetches them, followed or not [V7]. */
export class AccessedProfiles {
  readonly #store: Store
  readonly #owners: Set<string> = new Set()

  constructor(store: Store) {
    this.#store = store
  }

  add(owner: string): void {
    this.#owners.add(owner)
  }

  /** The users whose profiles a session gets only by a fetch. */
  get unfollowed(): string[] {
    return [...this.#owners].filter(owner => !this.isFollowed(owner))
  }

  isFollowed(owner: string): boolean {
    const { roster, hands } = this.#store.documents
    return countingFacts(factsOf(roster.view, owner), hands.get(owner)?.incarnation ?? '').isSubscribed
  }
}
