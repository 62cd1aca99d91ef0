import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/**
 * Lets the thread that calls this get a processor only where the threads that serve everybody leave it one [S3]. Linux has a
 * priority for each thread, and gives the number of the calling one in `/proc/thread-self`. Elsewhere this does nothing.
 */
export function lowerThreadPriority(): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')))
    setPriority(thread, Math.max(getPriority(thread), constants.priority.PRIORITY_BELOW_NORMAL))
  } catch {
    // Another system, or a sandbox without /proc: the thread works as before, only not behind others.
  }
}
