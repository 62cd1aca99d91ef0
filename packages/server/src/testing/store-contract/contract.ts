import type { Limits } from '@kith/shared'
import type { TestClock } from '@kith/shared/testing'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Store } from '../../relations/store.ts'

export const dayMs: number = 24 * 60 * 60 * 1000

/** A new store, and its clock. */
interface OpenedStore {
  store: Store
  clock: TestClock
}

/** The parameters of each group of the contract. */
export interface Contract {
  /** Adds a test to the runner. */
  test(name: string, body: () => Promise<void>): void
  /** Opens a new store, with these limits and otherwise the default ones. It writes events if `room` is given. */
  open(limits?: Partial<Limits>, room?: EventRoom): Promise<OpenedStore>
}
