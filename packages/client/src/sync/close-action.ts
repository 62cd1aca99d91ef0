import { closeCodes, decodeRetryHint, type ErrorCode } from '@kith/shared'

/** The action after a socket closed. */
export type Verdict =
  | { type: 'retry' }
  /**
   * The server accepts nothing now. `code`: the exceeded limit, or `unavailable`. `hintMs`: the minimum wait that the server
   * named.
   */
  | { type: 'rest'; code: ErrorCode; hintMs: number | undefined; message: string }
  /** This device is too old for the server, or the server for this device: retry rarely. */
  | { type: 'upgrade'; message: string }
  /** Try with another token, if there is one. */
  | { type: 'newToken' }
  /** Reconnecting would have the same result: stop until the app connects again. */
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
      // The next session rebuilds the unsent changes on the refounded document.
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
      // 4400–4499: the server does not accept this device in its present state.
      if (code >= 4400 && code <= 4499) return { type: 'stop', code: 'protocol-violation' }
      return { type: 'retry' }
  }
}
