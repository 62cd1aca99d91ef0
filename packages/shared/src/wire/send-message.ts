import { type Decoder, type Encoder, readString, readUserId, writeString } from './codec.ts'

/** 110, device → server: a direct message. Answered by `outcome`. */
export interface SendMessage {
  type: 'sendMessage'
  /** Chosen by the device, up to 64 bytes; the receiver gets it as it is. */
  id: string
  to: string
  text: string
}

export const sendMessageType = 110

export function writeSendMessage(encoder: Encoder, message: SendMessage): void {
  writeString(encoder, message.id)
  writeString(encoder, message.to)
  writeString(encoder, message.text)
}

export function readSendMessage(decoder: Decoder): SendMessage {
  return {
    type: 'sendMessage',
    id: readString(decoder, 64),
    to: readUserId(decoder),
    text: readString(decoder, Number.MAX_SAFE_INTEGER),
  }
}
