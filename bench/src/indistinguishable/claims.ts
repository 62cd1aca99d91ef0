import { percentile, print, type Row, rounded } from '../report.ts'
import { areaUnderCurve } from './rank-test.ts'

/** An area under the curve within this band means that the two sets cannot be told apart. */
const band = { from: 0.47, to: 0.53 } as const

/** Collects the results, and whether all claims about them hold. */
export class Claims {
  #rows: Row[] = []
  #broken: string[] = []

  /** Compares two sets of samples. `isClaimed`: Kith claims that they cannot be told apart. */
  compare(what: string, a: readonly number[], b: readonly number[], isClaimed: boolean): void {
    const area = areaUnderCurve(a, b)
    const holds = area >= band.from && area <= band.to
    this.#rows.push({
      what,
      samples: Math.min(a.length, b.length),
      'p50 ms': `${percentile(a, 0.5)} / ${percentile(b, 0.5)}`,
      'p99 ms': `${percentile(a, 0.99)} / ${percentile(b, 0.99)}`,
      AUC: Math.round(area * 1000) / 1000,
      claim: isClaimed ? (holds ? 'holds' : 'BROKEN') : '–',
    })
    if (isClaimed && !holds) this.#broken.push(`${what}: AUC ${rounded(area)}`)
  }

  expect(what: string, holds: boolean, detail: string): void {
    this.#rows.push({ what, samples: '', 'p50 ms': '', 'p99 ms': '', AUC: detail, claim: holds ? 'holds' : 'BROKEN' })
    if (!holds) this.#broken.push(`${what}: ${detail}`)
  }

  /** Prints the table. The process exits with 1 when a claim is broken. */
  report(heading: string): void {
    print(heading, this.#rows)
    for (const broken of this.#broken) console.log(`BROKEN: ${broken}`)
    if (this.#broken.length > 0) process.exitCode = 1
  }
}
