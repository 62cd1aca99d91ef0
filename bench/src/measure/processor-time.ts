import { readdirSync, readFileSync } from 'node:fs'

/**
 * Returns the processor time of all threads of a process, in milliseconds, with a resolution of a microsecond. `NaN` on systems
 * other than Linux.
 */
export function processorMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.reduce((sum, thread) => sum + threadMs(pid, thread), 0)
  } catch {
    return Number.NaN
  }
}

function threadMs(pid: number, thread: string): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e6
}

/**
 * Returns the processor time of all processes of the machine, in milliseconds, with a resolution of a hundredth of a second.
 */
export function machineMs(): number {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    const [user, nice, system, , , irq, softirq] = line.trim().split(/\s+/).slice(1).map(Number) as number[]
    return 10 * [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0)
  } catch {
    return Number.NaN
  }
}
