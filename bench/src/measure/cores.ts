import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const loadCore = 0
const serverCore = 1

/** Gives the load a core of its own. Returns how the processes are placed, for the report. */
export function pinLoad(): string {
  if (availableParallelism() < 2) return 'not pinned: there is one core only'
  if (!pin(process.pid, loadCore)) return 'not pinned: there is no taskset'
  return `the load on core ${loadCore}, servers on core ${serverCore}`
}

/** Gives a server that has just begun a core that it shares with other servers only, which are idle meanwhile. */
export function pinServer(pid: number): void {
  if (availableParallelism() > 1) pin(pid, serverCore)
}

/** All threads of a process; those that it begins later inherit it. */
function pin(pid: number, core: number): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' }).status === 0
}
