import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { serverProgram } from '@kith/bench/server-process'

/** Starts a command on the folder and kills it before it is done: during start-up, recovery, or its work. */
export async function startAndKill(command: 'serve' | 'compact', folder: string, afterMs: number): Promise<void> {
  const port = command === 'serve' ? ['--port', '0'] : []
  const child = spawn(process.execPath, [serverProgram, command, ...port, '--data', folder], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  await Promise.race([pause(afterMs), exited])
  child.kill('SIGKILL')
  await exited
}
