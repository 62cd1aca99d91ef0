import { fileURLToPath } from 'node:url'
import { createVitest, type TestModule } from 'vitest/node'
import { mutants } from './list/index.ts'
import type { Run } from './run.ts'
import type { Report } from './verdict.ts'

/**
 * A process that runs tests with one mutant after another. Files that no mutant changes are read and transformed once. It
 * receives a {@link Run}, and answers with a {@link Report}.
 */

/** This file is built to `test/dist/mutants`. */
const root = fileURLToPath(new URL('../../..', import.meta.url))

const vitest = await createVitest('test', { root: `${root}test`, watch: false, maxWorkers: 1, reporters: [{}] })

process.on('message', (run: Run) => {
  runTests(run).then(
    report => process.send?.(report),
    (error: unknown) => process.send?.({ passed: 0, failed: [], broken: [String(error)] } satisfies Report),
  )
})
process.on('disconnect', () => process.exit())

async function runTests(run: Run): Promise<Report> {
  const { mutant, generated, tests, names, isBrief, isShared = false, testTimeoutMs } = run
  forget(process.env['KITH_MUTANT'])
  process.env['KITH_MUTANT'] = mutant ?? ''
  forget(mutant)
  forgetGenerated()
  process.env['KITH_GENERATED'] = generated ? JSON.stringify(generated) : ''
  forgetGenerated()
  const project = vitest.getRootProject()
  for (const config of [vitest.config, project.config])
    Object.assign(config, { testTimeout: testTimeoutMs, bail: isBrief ? 1 : 0, isolate: !isShared })
  if (names === undefined) vitest.resetGlobalTestNamePattern()
  else vitest.setGlobalTestNamePattern(new RegExp(names))
  const files = tests.map(name => `${root}test/${name}.test.ts`)
  const { testModules } = await vitest.runTestSpecifications(files.map(file => project.createSpecification(file)))
  return reportOn(testModules.filter(({ moduleId }) => files.includes(moduleId)))
}

/** Files that a mutant changes are read again. */
function forget(id: string | undefined): void {
  for (const { file } of mutants.find(mutant => mutant.id === id)?.changes ?? []) vitest.invalidateFile(root + file)
}

function forgetGenerated(): void {
  const change = process.env['KITH_GENERATED']
  if (change) vitest.invalidateFile(root + (JSON.parse(change) as { file: string }).file)
}

function reportOn(modules: readonly TestModule[]): Report {
  const report: Report = { passed: 0, failed: [], broken: [], loadMs: 0 }
  for (const module of modules) {
    report.loadMs = (report.loadMs ?? 0) + module.diagnostic().collectDuration
    for (const error of module.errors()) report.broken.push(error.message)
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result()
      if (state === 'passed') report.passed++
      if (state === 'failed') {
        const file = module.moduleId.slice(`${root}test/`.length, -'.test.ts'.length)
        report.failed.push({ file, name: test.fullName, message: errors?.[0]?.message ?? '' })
      }
    }
  }
  return report
}
