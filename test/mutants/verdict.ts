/** What the tests did: how many passed, which failed, and why files did not load. */
export interface Report {
  passed: number
  failed: { file: string; name: string; message: string }[]
  broken: string[]
  /** How long it took to load the test files, in milliseconds. */
  loadMs?: number
}

export type Verdict =
  /** A test failed, as it should. */
  | { state: 'caught'; by: string; message: string }
  /** Only by waiting in vain did a test fail. */
  | { state: 'waited'; by: string }
  | { state: 'survived' }
  /** Nothing was shown: a file did not load, or no test ran. */
  | { state: 'broken'; why: string }

/** What a run under a mutant shows. `undefined`: the run came to no end, or to none that it could tell of. */
export function verdictOn(report: Report | undefined): Verdict {
  if (!report) return { state: 'broken', why: 'the run came to no end' }
  const [seen] = report.failed.filter(({ message }) => !isTimeout(message))
  if (seen) return { state: 'caught', by: seen.name, message: seen.message }
  const [waited] = report.failed
  if (waited) return { state: 'waited', by: waited.name }
  if (report.broken.length > 0) return { state: 'broken', why: report.broken.join('; ') }
  return report.passed > 0 ? { state: 'survived' } : { state: 'broken', why: 'no test ran' }
}

/** As vitest says it. */
function isTimeout(message: string): boolean {
  return /^(Test|Hook) timed out in /.test(message)
}
