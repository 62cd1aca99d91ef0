import { defaultLimits, type Limits } from '@kith/shared'
import { TestClock } from '@kith/shared/testing'
import type { Clock } from '../../clock.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Store } from '../../relations/store.ts'
import { commits } from './commits.ts'
import type { Contract } from './contract.ts'
import { documents } from './documents.ts'
import { erasure } from './erasure.ts'
import { outbox } from './outbox.ts'
import { registration } from './registration.ts'
import { relations } from './relations.ts'
import { retention } from './retention.ts'
import { unrequested } from './unrequested.ts'
import { waitingFollows } from './waiting-follows.ts'

/** The test runner: `describe` and `test` of Vitest, of Jest, or of `node:test`. */
export interface TestRunner {
  /**
   * Begins a group of tests.
   *
   * @param name - The name of the group.
   * @param body - Adds the tests.
   * @returns Anything; it is ignored.
   */
  describe(name: string, body: () => void): unknown
  /**
   * Adds a test.
   *
   * @param name - The name of the test.
   * @param body - Rejects when the test fails.
   * @returns Anything; it is ignored.
   */
  test(name: string, body: () => Promise<void>): unknown
}

/** The options with which a store under test is opened. */
export interface StoreContractOptions {
  limits: Limits
  clock: Clock
  /** Which events the store writes to its outbox. Without it, none are written. */
  room?: EventRoom | undefined
}

/** Opens a store that is new and empty. Each test closes its own. */
export type OpenStore = (options: StoreContractOptions) => Promise<Store>

/** One group for each part of the contract. */
const groups: Record<string, (contract: Contract) => void> = {
  commits,
  documents,
  relations,
  registration,
  'waiting follows': waitingFollows,
  'unrequested owners': unrequested,
  'erasure and revocation': erasure,
  retention,
  outbox,
}

/**
 * The contract of {@link Store} as tests, which every store must pass: the order of commits, their effects on who may see whom,
 * and the results of reads. Adds the tests to `runner`; nothing is opened before they run. A test that finds a difference fails
 * with an `AssertionError` of Node.
 *
 * @param openStore - Opens a new store for each test.
 */
export function storeContract(runner: TestRunner, openStore: OpenStore): void {
  const contract: Contract = {
    test: (name, body) => void runner.test(name, body),
    async open(limits = {}, room) {
      const clock = new TestClock()
      return { clock, store: await openStore({ clock, limits: { ...defaultLimits, ...limits }, room }) }
    },
  }
  for (const [name, addTests] of Object.entries(groups)) runner.describe(name, () => addTests(contract))
}
