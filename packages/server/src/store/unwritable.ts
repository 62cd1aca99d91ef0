import { KithError } from '@kith/shared'

/** When a device, or the backend, should try again, in milliseconds. */
const retryAfterMs = 10_000

/** What the system calls the cause, as a code or in the words of strerror(3), and what an operator should read. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/\bENOSPC\b|No space left on device/, 'the disk is full'],
  [/\bEDQUOT\b|Disk quota exceeded/, 'the disk quota is used up'],
  [/\bEFBIG\b|File too large/, 'a file has reached the largest size that the system allows (ulimit -f)'],
  [/\bEROFS\b|Read-only file system/, 'the disk is read-only'],
  [/\bE[MN]FILE\b|Too many open files/, 'too many files are open (ulimit -n)'],
  [/\bEACCES\b|\bEPERM\b|Permission denied|Operation not permitted/, 'the data folder may not be written to'],
  [/\bEIO\b|Input\/output error/, 'the disk reports an error'],
]

/** The store takes no changes now. Nothing of the change was written. */
export class Unwritable extends KithError {
  /** In words, without the paths that the system names: they are no business of those who ask from outside. */
  readonly reason: string

  constructor(cause: unknown) {
    const reason = reasonFor(cause)
    super('unavailable', `The server cannot store changes right now: ${reason}`, { retryAfterMs, cause })
    this.reason = reason
  }
}

/** Why the system refused a write, in words for an operator. */
export function reasonFor(error: unknown): string {
  const text = textOf(error)
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'the disk does not take them'
}

/** The messages of an error and of its causes. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}\n${textOf(error.cause)}`
}
