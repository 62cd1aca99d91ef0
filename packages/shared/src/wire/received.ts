import { type Decoder, type Encoder, readString, readUserId, writeString } from './codec.ts'

/** 112, device → server: this device has accepted that message. */
export interface Received {
  type: 'received'
  id: string
  from: string
}

export const receivedType = 112

export function writeReceived(encoder: Encoder, message: Received): void {
  writeString(encoder, message.id)
  writeString(encoder, message.from)
}

export function readReceived(decoder: Decoder): Received {
  return { type: 'received', id: readString(decoder, 64), from: readUserId(decoder) }
}
