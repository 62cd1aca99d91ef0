import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { GuardOptions, GuardReport, GuardRequest } from './guard.ts'

// Node runs the built file, also when the sources are tested.
const guard = fileURLToPath(import.meta.url).replace(/(src|dist)([/\\])guarded\.[jt]s$/, 'dist$2guard.js')

/**
 * A program that ends when this process ends for any reason. Its folder is removed then. It can be started again after it has
 * ended.
 */
export class Guarded {
  readonly #guard: ChildProcess
  #isRunning = false
  #pid: number | undefined
  #ended: (() => void)[] = []

  /** `env`: settings for the program, in addition to those of this process. */
  constructor(options: GuardOptions, env: Readonly<Record<string, string>> = {}) {
    // In a process group of its own, so that a signal to this process's group does not end it before its work is done.
    this.#guard = fork(guard, [JSON.stringify(options)], {
      ...{
        detached: true,
        execArgv: [],
        env: { ...process.env, ...env },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    })
    this.#guard.on('message', (report: GuardReport) => {
      if (report === 'ended') this.#hasEnded()
      else this.#pid = report
    })
    this.#guard.once('exit', () => this.#hasEnded())
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** The id of the program's process while it runs. It is known shortly after `start`. */
  get pid(): number | undefined {
    return this.#pid
  }

  start(): void {
    this.#isRunning = true
    this.#ask('start')
  }

  /** Ends the program and all its processes immediately (SIGKILL). */
  async kill(): Promise<void> {
    if (!this.#isRunning) return
    const ended = new Promise<void>(resolve => this.#ended.push(resolve))
    this.#ask('kill')
    await ended
  }

  /** Ends the program if it runs, and removes its folder. */
  async remove(): Promise<void> {
    if (!this.#guard.connected) return
    const left = once(this.#guard, 'exit')
    this.#guard.disconnect()
    await left
  }

  #ask(request: GuardRequest): void {
    this.#guard.send(request)
  }

  #hasEnded(): void {
    this.#isRunning = false
    this.#pid = undefined
    for (const resolve of this.#ended.splice(0)) resolve()
  }
}
