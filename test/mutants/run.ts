import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Report } from './verdict.ts'

/** The tests to run, and the mutant, if any. */
export interface Run {
  mutant?: string
  /** A generated mistake, instead of a mutant of the list. */
  generated?: { file: string; start: number; end: number; replacement: string }
  /** Test files, from `test/`, without `.test.ts`. */
  tests: readonly string[]
  /** Only tests whose names match. */
  names?: string | undefined
  /** Stops after the first failure. */
  isBrief: boolean
  /** Runs all test files in one process, so that the sources are loaded once. A failure may then come from another file. */
  isShared?: boolean
  /** The time limit of a test, in milliseconds. */
  testTimeoutMs: number
  /** The time limit of the whole run, in milliseconds. */
  longestMs?: number
}

/** A mutant may cause an endless loop in a test. */
const longestRunMs = 120_000

/** Runs tests in another process, one run at a time. Uses a new process after a run that did not end. */
export class Runner {
  readonly #env: Record<string, string>
  #worker: ChildProcess | undefined

  /** `env`: additional environment variables. */
  constructor(env: Record<string, string> = {}) {
    this.#env = env
  }

  /** Returns `undefined` if the run sent no report. */
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

  /** Ends the process, and the processes that it started. */
  close(): void {
    const { pid, exitCode } = this.#worker ?? {}
    this.#worker = undefined
    if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL')
  }
}

/** With a separate seed, not that of the tests: if a property finds a mutant once, it always finds it. */
function newWorker(more: Record<string, string>): ChildProcess {
  const env = { ...process.env, KITH_TEST_SEED: process.env['KITH_MUTANT_SEED'] ?? '1', ...more }
  return fork(fileURLToPath(new URL('./worker.js', import.meta.url)), { env, detached: true, stdio: 'ignore' })
}
