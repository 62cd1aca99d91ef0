import { Runner } from '../run.ts'
import type { Report } from '../verdict.ts'
import type { Generated } from './generate.ts'

/** Of one server: what a mistake in most sources comes to is seen there. Of several nodes: what only they run. */
const [ofOne, ofSeveral] = ['simulation/histories', 'simulation/cluster-histories']
/** One history of several nodes takes as long as several of one server. */
const timesSlower = 5

/** These have no part in the simulated world, which has neither files of contacts nor a real database or bus. */
const absent = /\/(import|postgres)\/|\/bus\/(postgres|nats)|\/tokens\.ts$/
const ofNodes = /\/(store\/nodes|bus)\//

/** The last resort for what no related test has noticed: random histories of the simulated world, by one seed. */
export class Histories {
  readonly #count: number

  /** So many histories; 0: none is played. */
  constructor(count: number) {
    this.#count = count
  }

  /** The test that plays histories which run this file; `undefined`: there is none. */
  testFor({ file }: Generated): string | undefined {
    if (this.#count === 0 || absent.test(file)) return undefined
    return ofNodes.test(file) ? ofSeveral : ofOne
  }

  async run(
    test: string,
    generated: Pick<Generated, 'file' | 'start' | 'end' | 'replacement'> | undefined,
  ): Promise<Report | undefined> {
    const count = test === ofSeveral ? Math.ceil(this.#count / timesSlower) : this.#count
    const runner = new Runner({ KITH_TEST_RUNS: String(count), KITH_TEST_NODES: '2' })
    try {
      const longestMs = 60_000 + count * longestHistoryMs * (test === ofSeveral ? timesSlower : 1)
      return await runner.run({
        ...{ tests: [test], isBrief: true, testTimeoutMs: longestMs, longestMs },
        ...(generated && { generated }),
      })
    } finally {
      runner.close()
    }
  }
}

/** On a busy machine, ten times what one takes alone. */
const longestHistoryMs = 3_000
