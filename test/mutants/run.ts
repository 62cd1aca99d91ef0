import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Report } from './verdict.ts'

/** Which tests to run, and under which mutant, if any. */
export interface Run {
  mutant?: string
  /** A mistake that was generated, in place of a mutant of the list. */
  generated?: { file: string; start: number; end: number; replacement: string }
  /** Test files, from `test/`, without `.test.ts`. */
  tests: readonly string[]
  /** Only tests whose names match. */
  names?: string | undefined
  /** After the first failure the rest is of no interest. */
  isBrief: boolean
  /** All test files in one process, so that the sources are loaded once: a failure may come from another file. */
  isShared?: boolean
  /** How long a test may take, in milliseconds. */
  testTimeoutMs: number
  /** How long all of it may take, in milliseconds. */
  longestMs?: number
}

/** A mutant may let a test run in circles. */
const longestRunMs = 120_000

/** Runs tests in another process, one run at a time; in a new one after a run that came to no end. */
export class Runner {
  readonly #env: Record<string, string>
  #worker: ChildProcess | undefined

  /** With these variables of the environment besides. */
  constructor(env: Record<string, string> = {}) {
    this.#env = env
  }

  /** `undefined` when nothing was heard of the run. */
  async run(run: Run): Promise<Report | undefined> {
    this.#worker ??= newWorker(this.#env)
    const worker = this.#worker
    const report = await new Promise<Report | undefined>(resolve => {
      const giveUp = (): void => resolve(undefined)
      const patience = setTimeout(giveUp, run.longestMs ?? longestRunMs)
      worker.once('exit', giveUp)
      worker.once('message', message => {
        clearTimeout(patience)
        worker.off('exit', giveUp)
        resolve(message as Report)
      })
      worker.send(run)
    })
    if (!report) this.close()
    return report
  }

  /** Ends the process, with those that it started. */
  close(): void {
    const { pid, exitCode } = this.#worker ?? {}
    this.#worker = undefined
    if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL')
  }
}

/** With a seed of its own, not that of the tests: a mutant that a property finds once is found always. */
function newWorker(more: Record<string, string>): ChildProcess {
  const env = { ...process.env, KITH_TEST_SEED: process.env['KITH_MUTANT_SEED'] ?? '1', ...more }
  return fork(fileURLToPath(new URL('./worker.js', import.meta.url)), { env, detached: true, stdio: 'ignore' })
}
