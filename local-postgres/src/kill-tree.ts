import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Ends a process and all processes that it started, as a power cut does: none of them can execute anything more. */
export function killTree(pid: number): void {
  // A stopped process starts no other processes.
  if (!signal(pid, 'SIGSTOP')) return
  for (const child of childrenOf(pid)) killTree(child)
  signal(pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

function childrenOf(parent: number): number[] {
  return allProcesses()
    .filter(([, itsParent]) => itsParent === parent)
    .map(([pid]) => pid)
}

/** Returns each process with its parent. */
function allProcesses(): [pid: number, parent: number][] {
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    return lines.map(line => line.trim().split(/\s+/).map(Number) as [number, number])
  }
  // Small systems have no `ps`.
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(pid => [Number(pid), parentOf(pid)])
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program is in parentheses, and may contain spaces and parentheses.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0 // It has ended.
  }
}
