import { type CloseCode, closeCodeFor, closeCodes, encodeRetryHint, KithError } from '@kith/shared'

/** Why a caller is refused. */
export interface Refusal {
  code: CloseCode
  reason: string
}

/** How long a device should wait when there are too many connections. */
const crowdedRetryMs = 30_000
/** How long a device should wait when the server has no place for another one. */
const noRoomRetryMs = 10_000

export const stopping: Refusal = { code: closeCodes.goingAway, reason: 'the server is stopping' }
export const revoked: Refusal = { code: closeCodes.unavailable, reason: 'sessions were revoked: sign in again' }
/** This user, or this address, has as many connections as allowed. */
export const crowded: Refusal = {
  code: closeCodes.overLimit,
  reason: encodeRetryHint('too-many-connections', crowdedRetryMs),
}
/** Every place for a session is taken. */
export const noRoom: Refusal = { code: closeCodes.noRoom, reason: encodeRetryHint('unavailable', noRoomRetryMs) }

/** Returns the refusal for a sign-in that failed with this error. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof KithError) return { code: closeCodeFor(error.code), reason: error.message.slice(0, 120) }
  return { code: closeCodes.unavailable, reason: 'try again later' }
}
