import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** `refused`: refused by the compiler or the linter. */
export type Outcome = 'refused' | 'killed' | 'timed out' | 'survived' | 'no test'

export interface Result {
  id: string
  outcome: Outcome
  /** The test that noticed the mutant, or the error of the compiler or the linter. */
  by?: string
  /** The duration. */
  seconds?: number
  sourceHash: string
  testsHash: string
}

/** The results so far, in a file outside the repository. An interrupted run continues where it stopped. */
export class Results {
  readonly #file: string
  readonly #byId = new Map<string, Result>()

  constructor(file: string) {
    this.#file = file
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
    for (const line of lines) {
      const result = JSON.parse(line) as Result
      this.#byId.set(result.id, result)
    }
  }

  /**
   * A noticed mutant stays valid while the source is unchanged. An unnoticed one is valid only while the tests are also
   * unchanged.
   */
  of(id: string, sourceHash: string, testsHash: string | undefined): Result | undefined {
    const result = this.#byId.get(id)
    if (result?.sourceHash !== sourceHash) return undefined
    const isNoticed = result.outcome === 'killed' || result.outcome === 'timed out'
    return isNoticed || result.testsHash === testsHash ? result : undefined
  }

  add(result: Result): void {
    this.#byId.set(result.id, result)
    appendFileSync(this.#file, `${JSON.stringify(result)}\n`)
  }
}
