import type { Fields } from '../profile.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  readBytes,
  readLevels,
  readUserId,
  writeBytes,
  writeLevels,
  writeString,
} from './codec.ts'
import { readFields, writeFields } from './fields.ts'

/** 108, server → device: all fields of an owner at one level, as they stand now. No fields: the level is empty. */
export interface Profile {
  type: 'profile'
  owner: string
  level: number
  fields: Fields
  /** Where the feed stands once this is stored; empty while more is to come, or when it stays where it is. */
  cursor: Uint8Array
}

export const profileType = 108

/** The cursor comes first, so that one encoding of the rest serves every viewer. */
export function writeProfile(encoder: Encoder, message: Profile): void {
  writeBytes(encoder, message.cursor)
  writeString(encoder, message.owner)
  writeLevels(encoder, [message.level])
  writeFields(encoder, message.fields)
}

export function readProfile(decoder: Decoder): Profile {
  const cursor = readBytes(decoder, 64)
  const owner = readUserId(decoder)
  const levels = readLevels(decoder)
  ensure(levels.length === 1, 'one level')
  return { type: 'profile', owner, level: levels[0] as number, fields: readFields(decoder), cursor }
}
