import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { knownEvent, type OutboxEvent, type StoredEvent } from '../../relations/outbox.ts'
import {
  countingOf,
  knownUser,
  type LevelRecord,
  newUser,
  noRelation,
  type Relation,
  type UserRecord,
} from '../../relations/records.ts'
import { expectEnd, flags, readRelationFlags, readSide, writeLevels, writeSide } from '../../relations/side-codec.ts'

/** A user's row. Positions have their own columns, because they are not known before the batch is written. */
export interface UserRow {
  registered_at: number | null
  /** Levels, each followed by the position of its last change. */
  levels: number[]
  /** JSON of the rest. */
  record: string
}

/** An event's row. */
export interface EventRow {
  position: number
  index: number
  line: string
  /** Empty if there is none. */
  other: string
  is_dead: boolean
  /** JSON of the rest. */
  body: string
}

export function decodeEvent({ position, index, line, other, body }: EventRow): StoredEvent {
  const event = { line, ...(other !== '' && { other }), ...JSON.parse(body) }
  return { name: { position, index }, event: knownEvent(event) }
}

/** Encodes the members of an event that have no column. */
export function encodeEventBody({ line: _, other: __, ...rest }: OutboxEvent): string {
  return JSON.stringify(rest)
}

export function encodeUser(user: Readonly<UserRecord>): UserRow {
  const { registeredAt, levels, ...rest } = user
  return {
    registered_at: registeredAt,
    levels: Object.entries(levels).flatMap(([level, position]) => [Number(level), position]),
    record: JSON.stringify(rest),
  }
}

/** `row` comes from an outer join. Throws {@link UnknownRecord} if it contains more than this version knows. */
export function decodeUser(row: UserRow): UserRecord {
  if (row.registered_at === null) return newUser()
  const levels: Record<string, number> = {}
  for (let index = 0; index < row.levels.length; index += 2) {
    levels[String(row.levels[index])] = row.levels[index + 1] as number
  }
  const rest = JSON.parse(row.record) as Omit<UserRecord, 'registeredAt' | 'levels'>
  return knownUser({
    ...rest,
    registeredAt: row.registered_at,
    levels,
  })
}

/** A relation's row. Positions have their own columns. */
export interface RelationRow {
  changed_at: number | null
  joined_at: number
  relation: Uint8Array
}

export function encodeRelation(relation: Relation): Uint8Array {
  const encoder = encoding.createEncoder()
  writeSide(encoder, relation.mySide)
  writeSide(encoder, relation.theirSide)
  encoding.writeUint8(encoder, flags(relation.isPaired, relation.isWaiting, relation.isUnasked))
  writeLevels(encoder, relation.shown)
  encoding.writeVarUint(encoder, relation.joinedAtMs)
  return encoding.toUint8Array(encoder)
}

/** `row` comes from an outer join. Throws {@link UnknownRecord} if it contains more than this version knows. */
export function decodeRelation(row: RelationRow): Relation {
  if (row.changed_at === null) return noRelation
  const decoder = decoding.createDecoder(row.relation)
  const mine = readSide(decoder)
  const theirs = readSide(decoder)
  const bits = readRelationFlags(decoder)
  const shown = decoding.readVarUint8Array(decoder)
  const joinedAtMs = decoding.readVarUint(decoder)
  expectEnd(decoder)
  return {
    mine: countingOf(mine),
    theirs: countingOf(theirs),
    mySide: mine,
    theirSide: theirs,
    isPaired: (bits & 1) !== 0,
    isWaiting: (bits & 2) !== 0,
    isUnasked: (bits & 4) !== 0,
    shown: shown.length === 0 ? noRelation.shown : [...shown],
    changedAt: row.changed_at,
    joinedAt: row.joined_at,
    joinedAtMs,
  }
}

export interface LevelRow {
  position: number | null
  fields: Uint8Array
}

/** `row` comes from an outer join. */
export function decodeLevel({ position, fields }: LevelRow): LevelRecord | undefined {
  return position === null ? undefined : { position, fields: new Uint8Array(fields) }
}

/** The number of a document in its rows. */
export const documentNumbers = { roster: 0, profile: 1 } as const
