import { type Decoder, type Encoder, readString, readUserId, writeString } from './codec.ts'

/** 111, server → device: a direct message to this user. Answered by `received`, once the device has received it. */
export interface Message {
  type: 'message'
  id: string
  from: string
  text: string
}

export const messageType = 111

export function writeMessage(encoder: Encoder, message: Message): void {
  writeString(encoder, message.id)
  writeString(encoder, message.from)
  writeString(encoder, message.text)
}

export function readMessage(decoder: Decoder): Message {
  return {
    type: 'message',
    id: readString(decoder, 64),
    from: readUserId(decoder),
    text: readString(decoder, Number.MAX_SAFE_INTEGER),
  }
}
