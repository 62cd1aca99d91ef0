import { isNonce } from '../roster/keys.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  readBytes,
  readLevels,
  readString,
  readUint,
  readUserId,
  writeBytes,
  writeLevels,
  writeString,
  writeUint,
} from './codec.ts'

/**
 * 107, server → device: the levels of an owner that this viewer gets from now on. It is also the order to withdraw: replicas of
 * every level that it does not name are dropped [V7]. No levels: not registered, not visible, blocked, or no longer followed;
 * the viewer cannot tell which [V8].
 */
export interface Access {
  type: 'access'
  owner: string
  /** In ascending order. */
  levels: readonly number[]
  /** The follow exceeds a limit, and is not served yet (S3, S4). */
  isWaiting: boolean
  /** The owner has registered since the viewer began to follow: report it, once [F3]. */
  hasJustJoined: boolean
  /** The owner is shown only because this session fetched the profile: the replica ends with the session [V7]. */
  isFetched: boolean
  /**
   * The id has changed hands: the entries of this user's roster for it do not count until the roster confirms this incarnation
   * [D7], a string of 8–16 characters of base64url. Absent when everything counts.
   */
  changedHands?: string
  /** As in `profile`. */
  cursor: Uint8Array
}

export const accessType = 107

export function writeAccess(encoder: Encoder, message: Access): void {
  writeString(encoder, message.owner)
  const { isWaiting, hasJustJoined, isFetched, changedHands } = message
  const isOthers = changedHands !== undefined
  writeUint(encoder, (isWaiting ? 1 : 0) | (hasJustJoined ? 2 : 0) | (isFetched ? 4 : 0) | (isOthers ? 8 : 0))
  if (isOthers) writeString(encoder, changedHands)
  writeLevels(encoder, message.levels)
  writeBytes(encoder, message.cursor)
}

export function readAccess(decoder: Decoder): Access {
  const owner = readUserId(decoder)
  const flags = readUint(decoder, 15)
  const changedHands = (flags & 8) === 8 ? readIncarnation(decoder) : undefined
  return {
    type: 'access',
    owner,
    levels: readLevels(decoder),
    isWaiting: (flags & 1) === 1,
    hasJustJoined: (flags & 2) === 2,
    isFetched: (flags & 4) === 4,
    ...(changedHands !== undefined && { changedHands }),
    cursor: readBytes(decoder, 64),
  }
}

function readIncarnation(decoder: Decoder): string {
  const incarnation = readString(decoder, 16)
  ensure(isNonce(incarnation), 'no incarnation')
  return incarnation
}
