import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { serverProgram } from '@kith/bench/server-process'

/** Starts a command on the folder, and kills it before it is done: during start-up, recovery, or its work. */
export async function killedCommand(name: 'serve' | 'compact', folder: string, afterMs: number): Promise<void> {
  const port = name === 'serve' ? ['--port', '0'] : []
  const child = spawn(process.execPath, [serverProgram, name, ...port, '--data', folder], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  await Promise.race([pause(afterMs), exited])
  child.kill('SIGKILL')
  await exited
}

/** Runs `check` on the folder itself. Returns what is wrong; `undefined` if nothing is. */
export async function checkCommand(folder: string): Promise<string | undefined> {
  const run = promisify(execFile)(process.execPath, [serverProgram, 'check', '--data', folder])
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  return stdout.includes(' 0 differences') ? undefined : `the command check: ${stdout}`
}
