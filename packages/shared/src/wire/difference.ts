import * as encoding from 'lib0/encoding'
import type { Fields } from '../profile.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  readBytes,
  readString,
  readUint,
  writeBytes,
  writeString,
  writeUint,
} from './codec.ts'
import { fieldsDigestBytes, readFields, writeFields } from './fields.ts'
import { framed } from './framing.ts'
import { type LevelHead, readHead, writeHead } from './profile.ts'

/**
 * 119, server → device, from wire 6 on: the changes of a level since this device last received it. It contains current values
 * and the names of removed fields, and no erased value [V5].
 */
export interface Difference extends LevelHead {
  type: 'difference'
  /** Fields that are new or have another value. */
  fields: Fields
  /** Names of removed fields, in ascending order. */
  removed: readonly string[]
  /** `fieldsDigest` of the whole level after the change: a device with another result lacks the state on which this builds. */
  digest: Uint8Array
}

export const differenceType = 119

export function writeDifference(encoder: Encoder, message: Difference): void {
  writeBeforeFields(encoder, message)
  writeFields(encoder, message.fields)
}

/** The frame of a difference whose fields are already encoded, as by `splitFields`, names in ascending order. */
export function encodeDifferenceFrame(
  message: Omit<Difference, 'type' | 'fields'>,
  fields: readonly Uint8Array[],
): Uint8Array {
  return framed(differenceType, encoder => {
    writeBeforeFields(encoder, message)
    writeUint(encoder, fields.length)
    for (const field of fields) encoding.writeUint8Array(encoder, field)
  })
}

function writeBeforeFields(encoder: Encoder, message: Omit<Difference, 'type' | 'fields'>): void {
  writeHead(encoder, message)
  writeBytes(encoder, message.digest)
  writeUint(encoder, message.removed.length)
  for (const name of message.removed) writeString(encoder, name)
}

export function readDifference(decoder: Decoder): Difference {
  const head = readHead(decoder)
  const digest = readBytes(decoder, fieldsDigestBytes)
  ensure(digest.length === fieldsDigestBytes, 'no digest')
  const removed: string[] = []
  for (let left = readUint(decoder); left > 0; left--) {
    const name = readString(decoder, Number.MAX_SAFE_INTEGER)
    ensure(removed.length === 0 || name > (removed.at(-1) as string), 'field names out of order')
    removed.push(name)
  }
  return { type: 'difference', ...head, fields: readFields(decoder), removed, digest }
}
