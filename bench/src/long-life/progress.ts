import type { Row } from '../report.ts'

/** Says on the standard error how far something is, every ten seconds at most. */
export function progressOf(what: string, total: number): (done: number) => void {
  let saidAt = performance.now()
  return done => {
    if (performance.now() - saidAt < 10_000) return
    saidAt = performance.now()
    process.stderr.write(`${what}: ${done} of ${total}\n`)
  }
}

/** Says on the standard error what was measured: a long life that is broken off has shown that much. */
export function tellRow(when: string, row: Row): void {
  process.stderr.write(`${when}: ${JSON.stringify(row)}\n`)
}
