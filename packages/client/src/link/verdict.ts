import { closeCodes, decodeRetryHint, type ErrorCode } from '@kith/shared'

/** What to do after a socket closed. */
export type Verdict =
  | { type: 'retry' }
  /** Over a limit: which, and the least time to stay away, if the server tells. */
  | { type: 'rest'; code: ErrorCode; hintMs: number | undefined }
  /** Try with another token, if one can be had. */
  | { type: 'newToken' }
  /** Coming back would end in the same way: stop until the app connects again. */
  | { type: 'stop'; code: ErrorCode }

export function verdictOn(code: number, reason: string): Verdict {
  switch (code) {
    case closeCodes.unauthorised:
      return { type: 'newToken' }
    case closeCodes.notYourRoster:
      return { type: 'stop', code: 'not-your-roster' }
    case closeCodes.tooLarge:
      return { type: 'stop', code: 'frame-too-large' }
    case closeCodes.overLimit: {
      const { code: limit = 'too-many-writes', retryAfterMs } = decodeRetryHint(reason)
      return { type: 'rest', code: limit, hintMs: retryAfterMs }
    }
    default:
      // 4400–4499: the server doesn't want this device back as it is.
      if (code >= 4400 && code <= 4499) return { type: 'stop', code: 'protocol-violation' }
      return { type: 'retry' }
  }
}
