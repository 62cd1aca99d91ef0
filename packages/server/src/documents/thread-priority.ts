import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/**
 * Lowers the priority of the calling thread, so that the threads that serve all users get a processor first [S3]. Linux has a
 * priority for each thread, and gives the number of the calling thread in `/proc/thread-self`. On other systems this does
 * nothing.
 */
export function lowerThreadPriority(): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')))
    setPriority(thread, Math.max(getPriority(thread), constants.priority.PRIORITY_BELOW_NORMAL))
  } catch {
    // Another system, or a sandbox without /proc: the thread works as before, but with normal priority.
  }
}
