import { readFileSync } from 'node:fs'

const pageBytes = 4096

/** Returns the resident memory of a process, in megabytes (Linux: `/proc/<pid>/statm`). */
function residentMegabytes(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return Math.round((Number(pages) * pageBytes) / 1e6)
}

/** Measures a process's memory repeatedly, and keeps the highest value. */
export class MemoryWatch {
  #pid: number
  #peak = 0
  #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.#pid = pid
    this.#timer = setInterval(() => this.now(), 50)
  }

  now(): number {
    const megabytes = residentMegabytes(this.#pid)
    this.#peak = Math.max(this.#peak, megabytes)
    return megabytes
  }

  /** Returns the highest value since the last call. */
  takePeak(): number {
    const peak = Math.max(this.#peak, this.now())
    this.#peak = 0
    return peak
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
