import { type Decoder, type Encoder, readUserId, writeString } from './codec.ts'

/**
 * 106, device → server: "show me this owner's profile while this session lasts". Answered by `access`, even if nothing is
 * visible, and by a `profile` for each visible level that has fields.
 */
export interface Fetch {
  type: 'fetch'
  owner: string
}

export const fetchType = 106

export function writeFetch(encoder: Encoder, message: Fetch): void {
  writeString(encoder, message.owner)
}

export function readFetch(decoder: Decoder): Fetch {
  return { type: 'fetch', owner: readUserId(decoder) }
}
