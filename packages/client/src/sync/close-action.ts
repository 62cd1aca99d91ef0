import { closeCodes, decodeRetryHint, type ErrorCode } from '@kith/shared'

/** What to do after a socket closed. */
export type Verdict =
  | { type: 'retry' }
  /** The server takes nothing now: the limit that was exceeded, or `unavailable`; the least time to stay away, if the server names one. */
  | { type: 'rest'; code: ErrorCode; hintMs: number | undefined; message: string }
  /** This device or the server is too old for the other: try again once in a while. */
  | { type: 'upgrade'; message: string }
  /** Try with another token, if one can be had. */
  | { type: 'newToken' }
  /** Coming back would end in the same way: stop until the app connects again. */
  | { type: 'stop'; code: ErrorCode }

const noRoom = 'The server has no room for another connection right now; this device tries again later'

function noChanges(reason: string): string {
  const why = reason === '' ? '' : ` (${reason})`
  return `The server cannot store changes right now${why}; this device keeps them and tries again later`
}

export function verdictOn(code: number, reason: string): Verdict {
  switch (code) {
    case closeCodes.unauthorised:
      return { type: 'newToken' }
    case closeCodes.notYourRoster:
      return { type: 'stop', code: 'not-your-roster' }
    case closeCodes.tooLarge:
      return { type: 'stop', code: 'frame-too-large' }
    case closeCodes.tooOld:
      return { type: 'upgrade', message: 'This app is too old for the server: load its newest version' }
    case closeCodes.tooNew:
      return { type: 'upgrade', message: 'The server is too old for this app: it must be upgraded' }
    case closeCodes.outdated:
      // The next session builds what is unsent upon the document that was refounded.
      return { type: 'retry' }
    case closeCodes.overLimit: {
      const { code: limit = 'too-many-writes', retryAfterMs } = decodeRetryHint(reason)
      return { type: 'rest', code: limit, hintMs: retryAfterMs, message: 'The server takes no more for a while' }
    }
    case closeCodes.noRoom: {
      const { retryAfterMs } = decodeRetryHint(reason)
      return { type: 'rest', code: 'unavailable', hintMs: retryAfterMs, message: noRoom }
    }
    case closeCodes.unavailable: {
      const { code: named, retryAfterMs, text } = decodeRetryHint(reason)
      if (named !== 'unavailable') return { type: 'retry' }
      return { type: 'rest', code: named, hintMs: retryAfterMs, message: noChanges(text) }
    }
    default:
      // 4400–4499: the server doesn't want this device back as it is.
      if (code >= 4400 && code <= 4499) return { type: 'stop', code: 'protocol-violation' }
      return { type: 'retry' }
  }
}
