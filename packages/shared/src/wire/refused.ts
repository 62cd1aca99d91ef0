import type { ErrorCode } from '../errors.ts'
import { type Decoder, type Encoder, readCode, readUint, writeString, writeUint } from './codec.ts'

/** 105, server → device: an update of this document was not admitted, and nothing of it was written [D5][S2]. */
export interface Refused {
  type: 'refused'
  document: 'roster' | 'profile'
  code: ErrorCode
}

export const refusedType = 105

const documents = ['roster', 'profile'] as const

export function writeRefused(encoder: Encoder, message: Refused): void {
  writeUint(encoder, documents.indexOf(message.document))
  writeString(encoder, message.code)
}

export function readRefused(decoder: Decoder): Refused {
  const document = documents[readUint(decoder, 1)] as Refused['document']
  const code = readCode(decoder)
  return { type: 'refused', document, code }
}
