import { type Decoder, type Encoder, ensure, readBytes, readUint, writeBytes, writeUint } from './codec.ts'

/** 100, device → server, once and first: "I speak Kith's messages; my feed was read up to this cursor." */
export interface Hello {
  type: 'hello'
  /** 1, for `kith.v1`. */
  version: number
  /** Opaque bytes that the server gave out; empty for a device that has none. */
  cursor: Uint8Array
}

export const helloType = 100

export function writeHello(encoder: Encoder, message: Hello): void {
  writeUint(encoder, message.version)
  writeBytes(encoder, message.cursor)
}

export function readHello(decoder: Decoder): Hello {
  const version = readUint(decoder)
  ensure(version === 1, `version ${version}`)
  return { type: 'hello', version, cursor: readBytes(decoder, 64) }
}
