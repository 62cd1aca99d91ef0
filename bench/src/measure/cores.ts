import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const loadCore = 0
const serverCore = 1

/** Pins the load to a core of its own. Returns how the processes are placed, for the report. */
export function pinLoad(): string {
  if (availableParallelism() < 2) return 'not pinned: there is one core only'
  if (!pin(process.pid, loadCore)) return 'not pinned: there is no taskset'
  return `the load on core ${loadCore}, servers on core ${serverCore}`
}

/** Pins a server that has just started to a core that it shares only with other servers, which are idle meanwhile. */
export function pinServer(pid: number): void {
  if (availableParallelism() > 1) pin(pid, serverCore)
}

/** Pins all threads of a process. Threads that it starts later inherit the core. */
function pin(pid: number, core: number): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' }).status === 0
}
