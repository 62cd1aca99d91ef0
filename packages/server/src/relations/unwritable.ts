import { KithError } from '@kith/shared'

/** When a device, or the backend, should retry, in milliseconds. */
const retryAfterMs = 10_000

interface Cause {
  /** How the system names the error, as a code or in the words of strerror(3). */
  pattern: RegExp
  /** The reason in words for an operator. */
  reason: string
  /** What the operator can do about it, at a start. */
  advice: string
}

const otherFolder = 'or give another folder with --data'

const causes: readonly Cause[] = [
  {
    pattern: /\bENOSPC\b|No space left on device/,
    reason: 'the disk is full',
    advice: `make room on it, ${otherFolder}`,
  },
  {
    pattern: /\bEDQUOT\b|Disk quota exceeded/,
    reason: 'the disk quota is used up',
    advice: `raise it or make room, ${otherFolder}`,
  },
  {
    pattern: /\bEFBIG\b|File too large/,
    reason: 'a file has reached the largest size that the system allows',
    advice: 'raise the limit (ulimit -f)',
  },
  {
    pattern: /\bEROFS\b|Read-only file system/,
    reason: 'the disk is read-only',
    advice: `mount it for writing, ${otherFolder}`,
  },
  {
    pattern: /\bE[MN]FILE\b|Too many open files/,
    reason: 'too many files are open',
    advice: 'raise the limit (ulimit -n)',
  },
  {
    pattern: /\bEACCES\b|\bEPERM\b|Permission denied|Operation not permitted/,
    reason: 'the data folder may not be written to',
    advice: `give it and its files to the user who runs the server (chown), ${otherFolder}`,
  },
  {
    pattern: /\bEIO\b|Input\/output error/,
    reason: 'the disk reports an error',
    advice: 'look after the disk; docs/OPERATIONS.md says what to do about damage',
  },
]

/** The store accepts no changes now. Nothing of the change was written. */
export class Unwritable extends KithError {
  /** In words, without the paths in the system's message: clients must not see them. */
  readonly reason: string

  constructor(cause: unknown) {
    const reason = causeOf(cause)?.reason ?? 'the disk does not take them'
    super('unavailable', `The server cannot store changes right now: ${reason}`, { retryAfterMs, cause })
    this.reason = reason
  }
}

/** Returns why the system refused to read or write, and what can be done about it. Returns `undefined` for an unknown cause. */
export function causeOf(error: unknown): { reason: string; advice: string } | undefined {
  const text = textOf(error)
  return causes.find(({ pattern }) => pattern.test(text))
}

/** The messages of an error and of its causes. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}\n${textOf(error.cause)}`
}
