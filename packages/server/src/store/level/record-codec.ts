import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { knownEvent, type OutboxEvent } from '../../relations/outbox.ts'
import {
  countingOf,
  knownUser,
  type LevelRecord,
  noRelation,
  type Relation,
  type UserRecord,
} from '../../relations/records.ts'
import { expectEnd, flags, readRelationFlags, readSide, writeLevels, writeSide } from '../../relations/side-codec.ts'
import { expectKnown } from '../../relations/unknown-record.ts'

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export function encodeUser(user: UserRecord): Uint8Array {
  return utf8.encoder.encode(JSON.stringify(user))
}

/** Throws {@link UnknownRecord} if the record contains more than this version knows. */
export function decodeUser(bytes: Uint8Array): UserRecord {
  return knownUser(withoutLapsed(JSON.parse(utf8.decoder.decode(bytes)) as UserRecord))
}

/** Earlier versions recorded when the user's relations last changed, only for `check`. */
function withoutLapsed(user: UserRecord & { relationsChangedAt?: number }): UserRecord {
  if (user.relationsChangedAt === undefined) return user
  const { relationsChangedAt: _, ...rest } = user
  return rest
}

export function encodeRelation(relation: Relation): Uint8Array {
  const encoder = encoding.createEncoder()
  writeSide(encoder, relation.mySide)
  writeSide(encoder, relation.theirSide)
  encoding.writeUint8(encoder, flags(relation.isPaired, relation.isWaiting, relation.isUnasked))
  writeLevels(encoder, relation.shown)
  encoding.writeVarUint(encoder, relation.changedAt)
  encoding.writeVarUint(encoder, relation.joinedAt)
  encoding.writeVarUint(encoder, relation.joinedAtMs)
  return encoding.toUint8Array(encoder)
}

/** Throws {@link UnknownRecord} if the record contains more than this version knows. */
export function decodeRelation(bytes: Uint8Array): Relation {
  const decoder = decoding.createDecoder(bytes)
  const mine = readSide(decoder)
  const theirs = readSide(decoder)
  const bits = readRelationFlags(decoder)
  const relation = {
    mine: countingOf(mine),
    theirs: countingOf(theirs),
    mySide: mine,
    theirSide: theirs,
    isPaired: (bits & 1) !== 0,
    isWaiting: (bits & 2) !== 0,
    isUnasked: (bits & 4) !== 0,
    shown: levelsIn(decoding.readVarUint8Array(decoder)),
    changedAt: decoding.readVarUint(decoder),
    joinedAt: decoding.readVarUint(decoder),
    joinedAtMs: decoding.hasContent(decoder) ? decoding.readVarUint(decoder) : 0,
  }
  expectEnd(decoder)
  return relation
}

/** The number of different relations of one user that are remembered while they are read. */
const mostShared = 1_024

/**
 * Returns a decoder for reading all relations of one user. Relations with the same bytes are decoded once, and share one
 * object, because a phone book says the same about most people in it. No code changes a relation. The relation of a single pair
 * is always decoded again. Otherwise the time of a read would reveal what else was read [V10].
 */
export function relationsDecoder(): (bytes: Uint8Array) => Relation {
  const shared = new Map<string, Relation>()
  return bytes => {
    const name = latin1Of(bytes)
    const known = shared.get(name)
    if (known) return known
    const relation = decodeRelation(bytes)
    if (shared.size < mostShared) shared.set(name, relation)
    return relation
  }
}

function latin1Of({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

function levelsIn(bytes: Uint8Array): readonly number[] {
  return bytes.length === 0 ? noRelation.shown : [...bytes]
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

const dayMs = 86_400_000

/** A look-up: the day on which it was charged. */
export function encodeAsked(atMs: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, Math.floor(atMs / dayMs))
  return encoding.toUint8Array(encoder)
}

/**
 * Returns the day, counted from 1970; 0 for a look-up that an earlier version recorded. Throws {@link UnknownRecord} like the
 * other decoders.
 */
export function decodeAsked(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0
  const decoder = decoding.createDecoder(bytes)
  const day = decoding.readVarUint(decoder)
  expectKnown(!decoding.hasContent(decoder), 'a look-up with bytes at its end')
  return day
}

/** What a store knows of the time that has passed (change-retention.ts). */
export interface Lapsed {
  /** The position up to which ended relations are removed. */
  upTo: number
  /** The position up to which they may be removed a day later. */
  next: number
  /** When the clock was last observed, in ms. */
  observedMs: number
  /** The last time that was observed and confirmed a day later, in ms; 0 if there is none. */
  confirmedMs: number
}

export function encodeLapsed(lapsed: Lapsed): Uint8Array {
  return encodeText(JSON.stringify(lapsed))
}

const nothingLapsed: Lapsed = { upTo: 0, next: 0, observedMs: 0, confirmedMs: 0 }

/** A store without a change has no such record. Throws {@link UnknownRecord} if it contains more than this version knows. */
export function decodeLapsed(bytes: Uint8Array | undefined): Lapsed {
  if (!bytes) return nothingLapsed
  // Versions between two releases recorded the day.
  const { day: _, ...lapsed } = JSON.parse(decodeText(bytes)) as Partial<Lapsed> & { day?: number }
  const unknown = Object.keys(lapsed).find(name => !(name in nothingLapsed))
  expectKnown(unknown === undefined, `the member ${JSON.stringify(unknown)} of "lapsed"`)
  return { ...nothingLapsed, ...lapsed }
}

export function encodeEvent(event: OutboxEvent): Uint8Array {
  return encodeText(JSON.stringify(event))
}

/** Throws {@link UnknownRecord} if the record contains more than this version knows. */
export function decodeEvent(bytes: Uint8Array): OutboxEvent {
  return knownEvent(JSON.parse(decodeText(bytes)))
}

export function encodeNumber(value: number): Uint8Array {
  return utf8.encoder.encode(String(value))
}

/** Throws {@link UnknownRecord} for anything but a number. */
export function decodeNumber(bytes: Uint8Array): number {
  const text = utf8.decoder.decode(bytes)
  const value = Number(text)
  expectKnown(!Number.isNaN(value), `the number ${JSON.stringify(text)}`)
  return value
}

export function encodeText(text: string): Uint8Array {
  return utf8.encoder.encode(text)
}

export function decodeText(bytes: Uint8Array): string {
  return utf8.decoder.decode(bytes)
}
