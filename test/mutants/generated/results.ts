import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** `refused`: by the compiler or the linter. */
export type Outcome = 'refused' | 'killed' | 'timed out' | 'survived' | 'no test'

export interface Result {
  id: string
  outcome: Outcome
  /** The test that noticed it, or the error of the compiler or the linter. */
  by?: string
  /** How long that took. */
  seconds?: number
  sourceHash: string
  testsHash: string
}

/** What was found so far, in a file outside the repository: a run that was broken off goes on where it was. */
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

  /** What was noticed counts while the source is the same; what was not, while the tests are, too. */
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
