import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Report } from './verdict.ts'

/** Which tests to run, and under which mutant, if any. */
export interface Run {
  mutant?: string
  /** Test files, from `test/`, without `.test.ts`. */
  tests: readonly string[]
  /** Only tests whose names match. */
  names?: string | undefined
  /** After the first failure the rest is of no interest. */
  isBrief: boolean
  /** How long a test may take, in milliseconds. */
  testTimeoutMs: number
}

/** A mutant may let a test run in circles. */
const longestRunMs = 120_000

/** The folder of the tests; this file is built to `test/dist/mutants`. */
const folder = fileURLToPath(new URL('../..', import.meta.url))

/** Runs tests in a process of their own; `undefined` when it says nothing of them. */
export async function runTests({ mutant, tests, names, isBrief, testTimeoutMs }: Run): Promise<Report | undefined> {
  const files = tests.map(name => `${name}.test.ts`)
  const filter = names === undefined ? [] : ['--testNamePattern', names]
  const brief = isBrief ? ['--bail=1'] : []
  const fixed = ['--reporter=./mutants/reporter.ts', '--maxWorkers=1', `--testTimeout=${testTimeoutMs}`]
  const options = [...fixed, ...filter, ...brief]
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files, ...options], {
    cwd: folder,
    env: { ...process.env, KITH_MUTANT: mutant ?? '' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: longestRunMs,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await new Promise(resolve => child.on('close', resolve))
  return reportIn(output)
}

function reportIn(output: string): Report | undefined {
  const line = output.trim().split('\n').at(-1) ?? ''
  return line.startsWith('{"passed":') ? (JSON.parse(line) as Report) : undefined
}
