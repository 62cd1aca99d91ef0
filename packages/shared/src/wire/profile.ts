import * as encoding from 'lib0/encoding'
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
import { framed } from './framing.ts'

/** 108, server → device: all current fields of an owner at one level. No fields: the level is empty. */
export interface Profile {
  type: 'profile'
  owner: string
  level: number
  fields: Fields
  /** The position in the feed once this is stored; empty if more follows, or if the position does not change. */
  cursor: Uint8Array
}

export const profileType = 108

/** The cursor comes first, so that one encoding of the rest serves every viewer. */
export function writeProfile(encoder: Encoder, message: Profile): void {
  writeHead(encoder, message)
  writeFields(encoder, message.fields)
}

/**
 * The frame of a level whose fields are already encoded, as by `encodeFields`: the bytes are the same on disk and on the wire.
 */
export function encodeProfileFrame(head: LevelHead, fields: Uint8Array): Uint8Array {
  return framed(profileType, encoder => {
    writeHead(encoder, head)
    encoding.writeUint8Array(encoder, fields)
  })
}

/** The beginning of each frame with content of a level. */
export type LevelHead = Pick<Profile, 'cursor' | 'owner' | 'level'>

export function writeHead(encoder: Encoder, { cursor, owner, level }: LevelHead): void {
  writeBytes(encoder, cursor)
  writeString(encoder, owner)
  writeLevels(encoder, [level])
}

export function readHead(decoder: Decoder): LevelHead {
  const cursor = readBytes(decoder, 64)
  const owner = readUserId(decoder)
  const levels = readLevels(decoder)
  ensure(levels.length === 1, 'one level')
  return { cursor, owner, level: levels[0] as number }
}

export function readProfile(decoder: Decoder): Profile {
  const head = readHead(decoder)
  return { type: 'profile', ...head, fields: readFields(decoder) }
}
