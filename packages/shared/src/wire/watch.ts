import { type Decoder, type Encoder, readUint, readUserId, writeString, writeUint } from './codec.ts'

/**
 * 116, device → server: "I want the presence of these users from now on", instead of the users named before. An empty list:
 * none. Answered by a `presence` for each user who was not watched before, and by `failure` with `too-many-watched` for the
 * users beyond the limit, which are the last ones.
 */
export interface Watch {
  type: 'watch'
  owners: readonly string[]
}

export const watchType = 116
/** More than any limit of watched users. */
const maxOwners = 4096

export function writeWatch(encoder: Encoder, { owners }: Watch): void {
  writeUint(encoder, owners.length)
  for (const owner of owners) writeString(encoder, owner)
}

export function readWatch(decoder: Decoder): Watch {
  const owners: string[] = []
  for (let left = readUint(decoder, maxOwners); left > 0; left--) owners.push(readUserId(decoder))
  return { type: 'watch', owners }
}
