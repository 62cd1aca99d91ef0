import { type Decoder, type Encoder, readUint, readUserId, writeString, writeUint } from './codec.ts'

/**
 * 116, device → server: "these are the people whose presence I want to know from now on", instead of those named before.
 * Nobody: none. Answered by a `presence` for each that was not watched before; by `failure` with `too-many-watched` for
 * those beyond the limit, which are the last.
 */
export interface Watch {
  type: 'watch'
  owners: readonly string[]
}

export const watchType = 116
/** More than any limit on what is watched. */
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
