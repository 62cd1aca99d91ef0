import { type Audience, type ContactFacts, countingFacts, gives, isUnconfirmed } from '@kith/shared'
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
  /** Whose messages reach the user; absent for everyone's. */
  messageAudience?: 'contacts' | 'nobody' | undefined
  /**
   * When the user's last device left, in minutes since 1970: noted by the server as it happened, and derived from no
   * document. Absent before, and for an account that was erased.
   */
  lastSeenMinute?: number | undefined
  /** Level → position of its last change. An emptied level stays, so that viewers learn of it. */
  levels: Record<string, number>
  /** Follows that are served, and follows that wait ([S3], [S4]). */
  follows: number
  waiting: number
  /** Owners who are shown to this user because they granted a level [F4]. */
  unasked: number
  /** The position at which one of the user's relations last changed what the user is shown. */
  relationsChangedAt: number
  /** First-time look-ups left, as of a time in ms [S4]; absent while none was spent. */
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
  /** What a's roster says of b, as far as it counts [D7]. */
  mine: ContactFacts
  /** What b's roster says of a, as far as it counts. */
  theirs: ContactFacts
  /** What `mine` and `theirs` follow from. */
  mySide: Side
  theirSide: Side
  isPaired: boolean
  /** a follows b, but beyond a limit, and is not served yet. */
  isWaiting: boolean
  /** a is shown b because b granted a level, without having asked [F4]. */
  isUnasked: boolean
  /** b's levels that a's devices get. */
  shown: readonly number[]
  /** The position at which `shown`, `isWaiting` or what a's roster is to confirm last changed; kept as a tombstone when all else is gone. */
  changedAt: number
  /** The position at which b registered while a followed and could see them; 0 when that never happened [F3]. */
  joinedAt: number
  /** When that was, in ms: it is not announced again for a while, also if the account was erased since [F3]. */
  joinedAtMs: number
}

/** What one of two users says of the other. */
export interface Side {
  /** As the roster has it. */
  said: ContactFacts
  /**
   * The incarnation of the other user's id that this roster must confirm, since the id changed hands after the roster gave
   * something to it [D7]: as `Incarnations.tokenOf` has it. Empty when there is none. Noted at the erasure, and derived from
   * no document.
   */
  unconfirmed: string
}

/** `my` or `their` side of a relation, with what counts of it. */
export function mySide(side: Side): Pick<Relation, 'mine' | 'mySide'> {
  return { mySide: side, mine: countingFacts(side.said, side.unconfirmed) }
}

export function theirSide(side: Side): Pick<Relation, 'theirs' | 'theirSide'> {
  return { theirSide: side, theirs: countingFacts(side.said, side.unconfirmed) }
}

/** The incarnation that a roster must confirm before what it says counts; empty when all of it counts. */
export function changedHands({ said, unconfirmed }: Side): string {
  return isUnconfirmed(said, unconfirmed) ? unconfirmed : ''
}

export const noFacts: ContactFacts = {
  isContact: false,
  levels: [],
  isSubscribed: false,
  isDeclined: false,
  isBlocked: false,
  confirmed: [],
}

const noSide: Side = { said: noFacts, unconfirmed: '' }

export const noRelation: Relation = {
  ...mySide(noSide),
  ...theirSide(noSide),
  isPaired: false,
  isWaiting: false,
  isUnasked: false,
  shown: [],
  changedAt: 0,
  joinedAt: 0,
  joinedAtMs: 0,
}

/** Whether anything still stands between the two; if not, the record is at most a tombstone. */
export function isTombstone(relation: Relation): boolean {
  return !relation.isPaired && saysNothing(relation.mySide.said) && saysNothing(relation.theirSide.said)
}

/** Whether a roster says nothing of another user. */
export function saysNothing(facts: ContactFacts): boolean {
  return !gives(facts) && !facts.isDeclined && !facts.isBlocked && facts.confirmed.length === 0
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
