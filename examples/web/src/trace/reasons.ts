import { closeCodes, type ErrorCode } from '@kith/shared'

/** Why something was refused or waits, in words. */
export const reasons: Record<ErrorCode, string> = {
  closed: 'the client was closed',
  'database-in-use': 'its database is open elsewhere',
  'database-failed': 'the browser refused storage',
  'database-lost': 'its storage was deleted, and is made anew',
  'database-newer': 'a later version of Kith wrote its storage',
  'user-required': 'no user is known',
  'wrong-user': 'it belongs to another user',
  'unsent-changes': 'changes would be lost',
  'account-erased': 'the account was erased',
  aborted: 'it was called off',
  'sync-turns-back': 'two versions of an app keep changing the same people',
  'upgrade-required': 'one side is too old for the other',
  unauthorised: 'the token is wrong, expired or revoked',
  'not-your-roster': 'it belongs to somebody else',
  'frame-too-large': 'the frame is too large',
  'roster-too-large': 'the roster would be too large',
  'profile-too-large': 'the profile would be too large',
  'too-many-levels': 'the profile would have too many levels',
  'field-name-too-long': 'a field’s name is too long',
  'label-too-long': 'a label is too long',
  'message-too-long': 'the message is too long',
  'too-many-relations': 'more people than one roster may name',
  'too-many-follows': 'too many are followed',
  'too-many-watched': 'too many are watched',
  'too-many-messages': 'too many messages',
  'too-many-writes': 'too many changes',
  'too-many-connections': 'too many connections',
  'discovery-limit': 'too many were looked up for the first time',
  malformed: 'it is malformed',
  'protocol-violation': 'it breaks the protocol',
  'unknown-user': 'nobody has this id',
  unavailable: 'the server can’t do it now',
}

/** Why a connection ended, by its close code. */
export function closingReason(code: number): string {
  switch (code) {
    case 1000:
    case 1005:
      return 'it hung up'
    case closeCodes.goingAway:
      return 'the server stops, come back'
    case closeCodes.protocolViolation:
      return 'the server found a frame that breaks the protocol'
    case closeCodes.unauthorised:
      return `${reasons.unauthorised}`
    case closeCodes.notYourRoster:
      return `${reasons['not-your-roster']}, or its account was erased`
    case closeCodes.tooLarge:
      return 'the server found a frame too large'
    case closeCodes.tooOld:
      return 'the app is too old for the server'
    case closeCodes.tooNew:
      return 'the server is too old for the app'
    case closeCodes.unavailable:
      return 'the server can’t serve it now'
    case closeCodes.noRoom:
      return 'the server has no room for another connection'
    case closeCodes.overLimit:
      return 'it went over a limit'
    default:
      return 'the connection was lost'
  }
}
