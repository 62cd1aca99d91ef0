import type { Audience, ContactFacts } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** What the server keeps of one registered user. */
export interface UserRecord {
  /** The position at which the user registered. 0: not registered, but named by others or by the backend. */
  registeredAt: number
  restricted: boolean
  announceJoin: boolean
  audience: Audience
  autoSync: boolean
  /** Absent while the user hides nothing. */
  hidesPresence?: true | undefined
  /**
   * When the user's last device left, in minutes since 1970: noted by the server as it happened, and derived from no
   * document. Absent before, and for an account that was erased.
   */
  lastSeenMinute?: number | undefined
  /** Level → position of its last change. An emptied level stays, so that viewers learn of it. */
  levels: Record<string, number>
  /** Follows that are served, and follows that wait (S3, S4). */
  follows: number
  waiting: number
  /** Owners who are shown to this user because they granted a level [F4]. */
  unasked: number
  /** The position at which one of the user's relations last changed what the user is shown. */
  relationsChangedAt: number
  /** First-time look-ups left, as of a time in ms (S4); absent while none was spent. */
  lookups?: { left: number; atMs: number } | undefined
}

export function newUser(): UserRecord {
  return {
    registeredAt: 0,
    restricted: false,
    announceJoin: true,
    audience: 'everyone',
    autoSync: true,
    levels: {},
    follows: 0,
    waiting: 0,
    unasked: 0,
    relationsChangedAt: 0,
  }
}

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export function encodeUser(user: UserRecord): Uint8Array {
  return utf8.encoder.encode(JSON.stringify(user))
}

export function decodeUser(bytes: Uint8Array): UserRecord {
  return JSON.parse(utf8.decoder.decode(bytes)) as UserRecord
}

/**
 * What two users are to each other, seen from `a`: stored under both, so that one range read tells a user's device
 * everything about whom it sees, and the server everyone who sees the user.
 */
export interface Relation {
  /** What a's roster says of b. */
  mine: ContactFacts
  /** What b's roster says of a. */
  theirs: ContactFacts
  isPaired: boolean
  /** a follows b, but beyond a limit, and is not served yet. */
  isWaiting: boolean
  /** a is shown b because b granted a level, without having asked [F4]. */
  isUnasked: boolean
  /** b's levels that a's devices get. */
  shown: readonly number[]
  /** The position at which `shown` or `isWaiting` last changed; kept as a tombstone when all else is gone. */
  changedAt: number
  /** The position at which b registered while a followed and could see them; 0 when that never happened [F3]. */
  joinedAt: number
}

export const noFacts: ContactFacts = {
  isContact: false,
  levels: [],
  isSubscribed: false,
  isDeclined: false,
  isBlocked: false,
}

export const noRelation: Relation = {
  mine: noFacts,
  theirs: noFacts,
  isPaired: false,
  isWaiting: false,
  isUnasked: false,
  shown: [],
  changedAt: 0,
  joinedAt: 0,
}

/** Whether anything still stands between the two; if not, the record is at most a tombstone. */
export function isTombstone(relation: Relation): boolean {
  return !relation.isPaired && isNothing(relation.mine) && isNothing(relation.theirs)
}

function isNothing(facts: ContactFacts): boolean {
  return !facts.isContact && !facts.isSubscribed && !facts.isDeclined && !facts.isBlocked && facts.levels.length === 0
}

export function encodeRelation(relation: Relation): Uint8Array {
  const encoder = encoding.createEncoder()
  writeFacts(encoder, relation.mine)
  writeFacts(encoder, relation.theirs)
  encoding.writeUint8(encoder, flags(relation.isPaired, relation.isWaiting, relation.isUnasked))
  encoding.writeVarUint8Array(encoder, Uint8Array.from(relation.shown))
  encoding.writeVarUint(encoder, relation.changedAt)
  encoding.writeVarUint(encoder, relation.joinedAt)
  return encoding.toUint8Array(encoder)
}

export function decodeRelation(bytes: Uint8Array): Relation {
  const decoder = decoding.createDecoder(bytes)
  const mine = readFacts(decoder)
  const theirs = readFacts(decoder)
  const bits = decoding.readUint8(decoder)
  return {
    mine,
    theirs,
    isPaired: (bits & 1) !== 0,
    isWaiting: (bits & 2) !== 0,
    isUnasked: (bits & 4) !== 0,
    shown: [...decoding.readVarUint8Array(decoder)],
    changedAt: decoding.readVarUint(decoder),
    joinedAt: decoding.readVarUint(decoder),
  }
}

export function writeFacts(encoder: encoding.Encoder, facts: ContactFacts): void {
  encoding.writeUint8(encoder, flags(facts.isContact, facts.isSubscribed, facts.isDeclined, facts.isBlocked))
  encoding.writeVarUint8Array(encoder, Uint8Array.from(facts.levels))
}

export function readFacts(decoder: decoding.Decoder): ContactFacts {
  const bits = decoding.readUint8(decoder)
  return {
    isContact: (bits & 1) !== 0,
    isSubscribed: (bits & 2) !== 0,
    isDeclined: (bits & 4) !== 0,
    isBlocked: (bits & 8) !== 0,
    levels: [...decoding.readVarUint8Array(decoder)],
  }
}

function flags(...bits: boolean[]): number {
  return bits.reduce((sum, bit, index) => sum + (bit ? 1 << index : 0), 0)
}

/** What viewers of one level get: the fields as `encodeFields` has them, and when they last changed. */
export interface LevelRecord {
  position: number
  fields: Uint8Array
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
