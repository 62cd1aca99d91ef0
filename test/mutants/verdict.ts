/** The result of the tests: how many passed, which failed, and why files did not load. */
export interface Report {
  passed: number
  failed: { file: string; name: string; message: string }[]
  broken: string[]
  /** The time for loading the test files, in milliseconds. */
  loadMs?: number
}

export type Verdict =
  /** A test failed, as it should. */
  | { state: 'caught'; by: string; message: string }
  /** A test failed, but only because it waited in vain. */
  | { state: 'waited'; by: string }
  | { state: 'survived' }
  /** Nothing was shown: a file did not load, or no test ran. */
  | { state: 'broken'; why: string }

/** Returns the verdict on a run with a mutant. `undefined`: the run did not end, or could not report its end. */
export function verdictOn(report: Report | undefined): Verdict {
  if (!report) return { state: 'broken', why: 'the run came to no end' }
  const [seen] = report.failed.filter(({ message }) => !isTimeout(message))
  if (seen) return { state: 'caught', by: seen.name, message: seen.message }
  const [waited] = report.failed
  if (waited) return { state: 'waited', by: waited.name }
  if (report.broken.length > 0) return { state: 'broken', why: report.broken.join('; ') }
  return report.passed > 0 ? { state: 'survived' } : { state: 'broken', why: 'no test ran' }
}

/** In vitest's words. */
function isTimeout(message: string): boolean {
  return /^(Test|Hook) timed out in /.test(message)
}
