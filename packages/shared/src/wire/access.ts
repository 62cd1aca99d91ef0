import {
  type Decoder,
  type Encoder,
  readBytes,
  readLevels,
  readUint,
  readUserId,
  writeBytes,
  writeLevels,
  writeString,
  writeUint,
} from './codec.ts'

/**
 * 107, server → device: which levels of an owner this viewer gets from now on. It's also the order to withdraw: replicas
 * of every level not named are dropped [V7]. No levels: not registered, not visible, blocked, or no longer followed; the
 * viewer can't tell which [V8].
 */
export interface Access {
  type: 'access'
  owner: string
  /** Ascending. */
  levels: readonly number[]
  /** The follow is beyond a limit, and is not served yet (S3, S4). */
  isWaiting: boolean
  /** The owner has registered since the viewer began to follow: tell it, once [F3]. */
  hasJustJoined: boolean
  /** They are shown only because this session asked for them: their replica ends with it [V7]. */
  isFetched: boolean
  /** As in `profile`. */
  cursor: Uint8Array
}

export const accessType = 107

export function writeAccess(encoder: Encoder, message: Access): void {
  writeString(encoder, message.owner)
  writeUint(encoder, (message.isWaiting ? 1 : 0) | (message.hasJustJoined ? 2 : 0) | (message.isFetched ? 4 : 0))
  writeLevels(encoder, message.levels)
  writeBytes(encoder, message.cursor)
}

export function readAccess(decoder: Decoder): Access {
  const owner = readUserId(decoder)
  const flags = readUint(decoder, 7)
  return {
    type: 'access',
    owner,
    levels: readLevels(decoder),
    isWaiting: (flags & 1) === 1,
    hasJustJoined: (flags & 2) === 2,
    isFetched: (flags & 4) === 4,
    cursor: readBytes(decoder, 64),
  }
}
