import { type Decoder, type Encoder, readString, writeString } from './codec.ts'

/** 114, device → server: a newer token for this session, before the old one expires. A wrong one closes with 4401. */
export interface Renew {
  type: 'renew'
  token: string
}

export const renewType = 114

export function writeRenew(encoder: Encoder, message: Renew): void {
  writeString(encoder, message.token)
}

export function readRenew(decoder: Decoder): Renew {
  return { type: 'renew', token: readString(decoder, 16 * 1024) }
}
