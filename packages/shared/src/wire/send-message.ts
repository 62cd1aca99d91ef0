import { type Decoder, type Encoder, ensure, readString, readUserId, writeString } from './codec.ts'

/** 110, device → server: a direct message. Answered by `outcome`. */
export interface SendMessage {
  type: 'sendMessage'
  /** Chosen by the device, up to 64 bytes; passed on to the recipient unchanged. */
  id: string
  to: string
  /** Not empty. */
  text: string
}

export const sendMessageType = 110

export function writeSendMessage(encoder: Encoder, message: SendMessage): void {
  writeString(encoder, message.id)
  writeString(encoder, message.to)
  writeString(encoder, message.text)
}

export function readSendMessage(decoder: Decoder): SendMessage {
  const id = readString(decoder, 64)
  const to = readUserId(decoder)
  const text = readString(decoder, Number.MAX_SAFE_INTEGER)
  ensure(text !== '', 'a message without text')
  return { type: 'sendMessage', id, to, text }
}
