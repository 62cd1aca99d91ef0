/** Says on the standard error how far something is, every ten seconds at most. */
export function progressOf(what: string, total: number): (done: number) => void {
  let saidAt = performance.now()
  return done => {
    if (performance.now() - saidAt < 10_000) return
    saidAt = performance.now()
    process.stderr.write(`${what}: ${done} of ${total}\n`)
  }
}
