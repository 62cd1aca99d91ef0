import type { Row } from '../report.ts'

/** Returns a function that prints the progress to the standard error, at most every ten seconds. */
export function progressOf(what: string, total: number): (done: number) => void {
  let saidAt = performance.now()
  return done => {
    if (performance.now() - saidAt < 10_000) return
    saidAt = performance.now()
    process.stderr.write(`${what}: ${done} of ${total}\n`)
  }
}

/** Prints figures to the standard error, so that an interrupted long life still shows the figures up to then. */
export function tellRow(when: string, row: Row): void {
  process.stderr.write(`${when}: ${JSON.stringify(row)}\n`)
}
