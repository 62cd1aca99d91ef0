import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { killTree } from './kill-tree.ts'
import type { User } from './ordinary-user.ts'

/**
 * A guard process between a program and the process that uses it. When the using process ends for any reason, or requests the
 * end, the channel between it and the guard closes. The guard then ends the program, and removes its folder.
 */
export interface GuardOptions {
  program: string
  args: readonly string[]
  /** The working folder of the program. Its output is in the file `log`. */
  folder: string
  user?: User | undefined
}

export type GuardRequest = 'start' | 'kill'
/** The id of the started process, or the notice that it has ended. */
export type GuardReport = number | 'ended'

const { program, args, folder, user } = JSON.parse(process.argv[2] as string) as GuardOptions
let child: ChildProcess | undefined

function start(): void {
  const log = openSync(join(folder, 'log'), 'a')
  const started = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log], ...user })
  closeSync(log)
  child = started
  if (started.pid !== undefined) report(started.pid)
  const ended = (): void => {
    if (child !== started) return
    child = undefined
    if (process.connected) report('ended')
    else leave()
  }
  started.once('exit', ended)
  started.once('error', ended)
}

function report(what: GuardReport): void {
  process.send?.(what, () => undefined)
}

function kill(): void {
  if (child?.pid !== undefined) killTree(child.pid)
}

function leave(): void {
  removeSegment()
  rmSync(folder, { recursive: true, force: true })
  process.exit()
}

/** Removes the shared memory segment with which PostgreSQL detects that other processes of a killed server still run. */
function removeSegment(): void {
  try {
    const segment = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[6]?.trim().split(/\s+/)[1]
    if (segment) execFileSync('ipcrm', ['-m', segment], { stdio: 'ignore' })
  } catch {
    // The segment no longer exists.
  }
}

process.on('message', (request: GuardRequest) => {
  if (request === 'start') start()
  else kill()
})

process.on('disconnect', () => {
  if (child) kill()
  else leave()
})

// This process ends after the one that uses the program, not at the same time.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
