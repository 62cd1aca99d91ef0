import { Runner } from '../run.ts'
import type { Report } from '../verdict.ts'
import type { Generated } from './generate.ts'

/**
 * Histories of one server notice mistakes in most sources. Histories of several nodes notice mistakes in code that only they
 * run.
 */
const [ofOne, ofSeveral] = ['simulation/histories', 'simulation/cluster-histories']
/** One history of several nodes takes as long as several of one server. */
const timesSlower = 5

/** These files have no part in the simulated world, which has neither files of contacts nor a real database or bus. */
const absent = /\/(import|postgres)\/|\/bus\/(postgres|nats)|\/tokens\.ts$/
const ofNodes = /\/(store\/nodes|bus)\//

/** The last resort for mutants that no related test has noticed: random histories of the simulated world, with one seed. */
export class Histories {
  readonly #count: number

  /** `count`: the number of histories; with 0, none is played. */
  constructor(count: number) {
    this.#count = count
  }

  /** Returns the test that plays histories which run this file; `undefined` if there is none. */
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

/** On a busy machine: ten times the duration of one history on an idle machine. */
const longestHistoryMs = 3_000
