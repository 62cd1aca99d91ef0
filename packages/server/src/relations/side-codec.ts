import type { ContactFacts } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Side } from './records.ts'
import { expectKnown } from './unknown-record.ts'

/** Few ids change hands, so the data for that takes no room in other records. */
export function writeSide(encoder: encoding.Encoder, { said, unconfirmed }: Side): void {
  const isHanded = unconfirmed !== '' || said.confirmed.length > 0
  encoding.writeUint8(encoder, flags(said.isContact, said.isSubscribed, said.isDeclined, said.isBlocked, isHanded))
  writeLevels(encoder, said.levels)
  if (!isHanded) return
  encoding.writeVarString(encoder, unconfirmed)
  encoding.writeVarUint(encoder, said.confirmed.length)
  for (const incarnation of said.confirmed) encoding.writeVarString(encoder, incarnation)
}

/** Writes the bytes of a `writeVarUint8Array` without allocating an array: a phone book has tens of thousands of relations. */
export function writeLevels(encoder: encoding.Encoder, levels: readonly number[]): void {
  encoding.writeVarUint(encoder, levels.length)
  for (const level of levels) encoding.writeUint8(encoder, level)
}

export function readSide(decoder: decoding.Decoder): Side {
  const bits = decoding.readUint8(decoder)
  expectKnown(bits <= 31, 'a relation with a flag')
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

/** The number of different sides that are shared. */
const mostShared = 1_024
const sharedSides = new Map<string, Side>()

/**
 * A roster says the same about most users whom it names. So a few shared objects serve the sides of the hundred thousand
 * relations that a large change reads. They are never changed.
 */
function plainSide(bits: number, levels: Uint8Array): Side {
  const name = String.fromCharCode(bits, ...levels)
  const shared = sharedSides.get(name)
  if (shared) return shared
  const side: Side = { said: saidBy(bits, levels), unconfirmed: '' }
  if (sharedSides.size < mostShared) sharedSides.set(name, side)
  return side
}

/** Returns whether the two are paired, the follow waits, and the owner is shown unrequested, from the lowest bit on. */
export function readRelationFlags(decoder: decoding.Decoder): number {
  const bits = decoding.readUint8(decoder)
  expectKnown(bits <= 7, 'a relation with a flag')
  return bits
}

/** Expects the end of a relation. */
export function expectEnd(decoder: decoding.Decoder): void {
  expectKnown(!decoding.hasContent(decoder), 'a relation with bytes at its end')
}

/** Packs up to eight bits. The first is the lowest. */
export function flags(...bits: boolean[]): number {
  return bits.reduce((sum, bit, index) => sum + (bit ? 1 << index : 0), 0)
}
