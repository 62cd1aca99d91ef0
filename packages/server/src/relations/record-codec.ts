import type { ContactFacts } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  type LevelRecord,
  mySide,
  noRelation,
  type Relation,
  type Side,
  theirSide,
  type UserRecord,
} from './records.ts'

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export function encodeUser(user: UserRecord): Uint8Array {
  return utf8.encoder.encode(JSON.stringify(user))
}

export function decodeUser(bytes: Uint8Array): UserRecord {
  return JSON.parse(utf8.decoder.decode(bytes)) as UserRecord
}

export function encodeRelation(relation: Relation): Uint8Array {
  const encoder = encoding.createEncoder()
  writeSide(encoder, relation.mySide)
  writeSide(encoder, relation.theirSide)
  encoding.writeUint8(encoder, flags(relation.isPaired, relation.isWaiting, relation.isUnasked))
  encoding.writeVarUint8Array(encoder, Uint8Array.from(relation.shown))
  encoding.writeVarUint(encoder, relation.changedAt)
  encoding.writeVarUint(encoder, relation.joinedAt)
  encoding.writeVarUint(encoder, relation.joinedAtMs)
  return encoding.toUint8Array(encoder)
}

export function decodeRelation(bytes: Uint8Array): Relation {
  const decoder = decoding.createDecoder(bytes)
  const mine = readSide(decoder)
  const theirs = readSide(decoder)
  const bits = decoding.readUint8(decoder)
  return {
    ...mySide(mine),
    ...theirSide(theirs),
    isPaired: (bits & 1) !== 0,
    isWaiting: (bits & 2) !== 0,
    isUnasked: (bits & 4) !== 0,
    shown: levelsIn(decoding.readVarUint8Array(decoder)),
    changedAt: decoding.readVarUint(decoder),
    joinedAt: decoding.readVarUint(decoder),
    joinedAtMs: decoding.hasContent(decoder) ? decoding.readVarUint(decoder) : 0,
  }
}

function levelsIn(bytes: Uint8Array): readonly number[] {
  return bytes.length === 0 ? noRelation.shown : [...bytes]
}

/** Few ids change hands, so what concerns that takes no room in other records. */
export function writeSide(encoder: encoding.Encoder, { said, unconfirmed }: Side): void {
  const isHanded = unconfirmed !== '' || said.confirmed.length > 0
  encoding.writeUint8(encoder, flags(said.isContact, said.isSubscribed, said.isDeclined, said.isBlocked, isHanded))
  encoding.writeVarUint8Array(encoder, Uint8Array.from(said.levels))
  if (!isHanded) return
  encoding.writeVarString(encoder, unconfirmed)
  encoding.writeVarUint(encoder, said.confirmed.length)
  for (const incarnation of said.confirmed) encoding.writeVarString(encoder, incarnation)
}

export function readSide(decoder: decoding.Decoder): Side {
  const bits = decoding.readUint8(decoder)
  const levels = decoding.readVarUint8Array(decoder)
  if ((bits & 16) === 0) return plainSide(bits, levels)
  const said = saidBy(bits, levels)
  const unconfirmed = decoding.readVarString(decoder)
  const count = decoding.readVarUint(decoder)
  const confirmed = Array.from({ length: count }, () => decoding.readVarString(decoder))
  return { said: { ...said, confirmed }, unconfirmed }
}

function saidBy(bits: number, levels: Uint8Array): ContactFacts {
  return {
    isContact: (bits & 1) !== 0,
    isSubscribed: (bits & 2) !== 0,
    isDeclined: (bits & 4) !== 0,
    isBlocked: (bits & 8) !== 0,
    levels: [...levels],
    confirmed: [],
  }
}

/** As many different sides as are shared. */
const mostShared = 1_024
const sharedSides = new Map<string, Side>()

/**
 * A roster says the same of most users whom it names: the sides of a hundred thousand relations that a large change looks at
 * are a few objects. Nothing changes them.
 */
function plainSide(bits: number, levels: Uint8Array): Side {
  const name = String.fromCharCode(bits, ...levels)
  const shared = sharedSides.get(name)
  if (shared) return shared
  const side: Side = { said: saidBy(bits, levels), unconfirmed: '' }
  if (sharedSides.size < mostShared) sharedSides.set(name, side)
  return side
}

function flags(...bits: boolean[]): number {
  return bits.reduce((sum, bit, index) => sum + (bit ? 1 << index : 0), 0)
}

export function encodeLevel(level: LevelRecord): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, level.position)
  encoding.writeUint8Array(encoder, level.fields)
  return encoding.toUint8Array(encoder)
}

export function decodeLevel(bytes: Uint8Array): LevelRecord {
  const decoder = decoding.createDecoder(bytes)
  const position = decoding.readVarUint(decoder)
  return { position, fields: decoding.readTailAsUint8Array(decoder).slice() }
}

export function encodeNumber(value: number): Uint8Array {
  return utf8.encoder.encode(String(value))
}

export function decodeNumber(bytes: Uint8Array): number {
  return Number(utf8.decoder.decode(bytes))
}

export function encodeText(text: string): Uint8Array {
  return utf8.encoder.encode(text)
}

export function decodeText(bytes: Uint8Array): string {
  return utf8.decoder.decode(bytes)
}
