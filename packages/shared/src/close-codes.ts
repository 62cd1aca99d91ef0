import { type ErrorCode, isErrorCode } from './errors.ts'

/**
 * Why the server closed a websocket. 4400–4499 tell a stock y-websocket provider not to reconnect; 4500–4599 mean "try again
 * later". `tooOld` and `tooNew`: the device is too old or too new for the server. `outdated`: the device's document has another
 * generation than the server's, which was refounded.
 */
export const closeCodes = {
  goingAway: 1001,
  protocolViolation: 4400,
  unauthorised: 4401,
  notYourRoster: 4403,
  tooLarge: 4413,
  tooOld: 4426,
  tooNew: 4427,
  outdated: 4428,
  unavailable: 4500,
  noRoom: 4503,
  overLimit: 4529,
} as const

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes]

/** The close code for an error that ends a session. */
export function closeCodeFor(code: ErrorCode): CloseCode {
  switch (code) {
    case 'unauthorised':
      return closeCodes.unauthorised
    case 'not-your-roster':
    case 'account-erased':
      return closeCodes.notYourRoster
    case 'malformed':
    case 'protocol-violation':
      return closeCodes.protocolViolation
    case 'frame-too-large':
    case 'roster-too-large':
    case 'profile-too-large':
    case 'too-many-levels':
    case 'field-name-too-long':
    case 'label-too-long':
    case 'message-too-long':
    case 'too-many-relations':
      return closeCodes.tooLarge
    case 'upgrade-required':
      return closeCodes.tooOld
    case 'too-many-writes':
    case 'too-many-messages':
    case 'too-many-connections':
    case 'too-many-follows':
    case 'too-many-watched':
    case 'discovery-limit':
      return closeCodes.overLimit
    default:
      return closeCodes.unavailable
  }
}

/**
 * The reason text of a 4529, 4503 or 4500: the limit or error, and when to reconnect. A text for people may follow, after a
 * space. A websocket close reason is at most 123 bytes.
 */
export function encodeRetryHint(code: ErrorCode, retryAfterMs: number): string {
  return `${code} retry-after-ms=${Math.ceil(retryAfterMs)}`
}

/** Reads such a reason. Values that it does not contain are `undefined`. */
export function decodeRetryHint(reason: string): {
  code: ErrorCode | undefined
  retryAfterMs: number | undefined
  /** For people; empty if absent. */
  text: string
} {
  const [name = ''] = reason.split(' ', 1)
  const match = /retry-after-ms=(\d{1,12})(?: (.*))?/.exec(reason)
  return {
    code: isErrorCode(name) ? name : undefined,
    retryAfterMs: match ? Number(match[1]) : undefined,
    text: match?.[2] ?? '',
  }
}
