import type { Reporter, TestModule } from 'vitest/node'
import type { Report } from './verdict.ts'

/** Says in one line of JSON what became of a run: see {@link Report}. */
export default class MutantReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const report: Report = { passed: 0, failed: [], broken: [] }
    for (const module of modules) {
      for (const error of module.errors()) report.broken.push(error.message)
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'passed') report.passed++
        if (state === 'failed') report.failed.push({ name: test.fullName, message: errors[0]?.message ?? '' })
      }
    }
    process.stdout.write(`${JSON.stringify(report)}\n`)
  }
}
