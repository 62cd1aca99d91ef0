import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** Closes a run with `N passed, N failed, N skipped`, alone on its line. */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      const before = count.failed
      for (const test of module.children.allTests()) count[test.result().state] += 1
      // A file that doesn't load, or a hook that throws, fails the run although no test of it did.
      if (module.state() === 'failed' && count.failed === before) count.failed += 1
    }
    // What was still pending when the run ended was never decided.
    process.stdout.write(`${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped\n`)
  }
}
