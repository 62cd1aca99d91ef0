import type { ContentLimits } from '../limits.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  noteWire,
  readBytes,
  readString,
  readUint,
  writeBytes,
  writeString,
  writeUint,
} from './codec.ts'
import { maxIncarnationBytes, type OwnDocumentName, ownDocumentNames } from './hello.ts'
import { digestsWire } from './versions.ts'

/** 101, server → device: the answer to a hello. */
export interface Welcome {
  type: 'welcome'
  /**
   * The cursor was unusable (another store, too old, none): hide all replicas until they are repeated, and drop those that were
   * not repeated once the server knows this device's roster and the feed has caught up with it.
   */
  isFresh: boolean
  /**
   * The account that the device synced with was erased [D7]: the device deletes all its data, and sends nothing more. The
   * server then closes with 4403.
   */
  isErased: boolean
  /** The account's present incarnation, opaque bytes: the device stores it, and declares it in each later `hello`. */
  incarnation: Uint8Array
  /** The limits that changes must meet on this server. */
  limits: ContentLimits
  /** What the server understands; absent for a device whose `hello` had version 1, and from a server of wire 1. */
  understands?: Understanding
}

/** The capabilities of a server. */
export interface Understanding {
  /** Its wire, from 2 on. */
  wire: number
  /** The names in `privacy` that it enforces. */
  privacy: readonly string[]
  /** The documents whose digest in `hello` equals the server's: there is nothing to exchange. From wire 3 on. */
  same?: readonly OwnDocumentName[]
}

export const welcomeType = 101

const mostPrivacyNames = 64

const limitNames = [
  'rosterBytes',
  'profileBytes',
  'profileLevels',
  'fieldNameBytes',
  'labelBytes',
  'messageBytes',
  // Newer ones come last.
  'relations',
] as const satisfies readonly (keyof ContentLimits)[]

export function writeWelcome(encoder: Encoder, message: Welcome): void {
  const { understands } = message
  writeUint(encoder, (message.isFresh ? 1 : 0) | (message.isErased ? 2 : 0) | (understands ? 4 : 0))
  writeBytes(encoder, message.incarnation)
  for (const name of limitNames) writeUint(encoder, message.limits[name])
  if (!understands) return
  writeUint(encoder, understands.wire)
  writeUint(encoder, understands.privacy.length)
  for (const name of understands.privacy) writeString(encoder, name)
  if (understands.wire < digestsWire) return
  writeUint(
    encoder,
    (understands.same ?? []).reduce((flags, name) => flags | (1 << ownDocumentNames.indexOf(name)), 0),
  )
}

export function readWelcome(decoder: Decoder): Welcome {
  const flags = readUint(decoder)
  const incarnation = readBytes(decoder, maxIncarnationBytes)
  const limits = Object.fromEntries(limitNames.map(name => [name, readUint(decoder)]))
  const hasWire = (flags & 4) === 4
  const wire = hasWire ? readUint(decoder) : 1
  noteWire(decoder, wire)
  ensure(flags <= 7, `flags ${flags}`)
  return {
    type: 'welcome',
    isFresh: (flags & 1) === 1,
    isErased: (flags & 2) === 2,
    incarnation,
    limits: limits as unknown as ContentLimits,
    ...(hasWire && { understands: readUnderstanding(decoder, wire) }),
  }
}

function readUnderstanding(decoder: Decoder, wire: number): Understanding {
  ensure(wire > 1, `wire ${wire}`)
  const privacy: string[] = []
  for (let left = readUint(decoder, mostPrivacyNames); left > 0; left--) privacy.push(readString(decoder, 64))
  const same = wire >= digestsWire ? readSame(decoder) : []
  return { wire, privacy, ...(same.length > 0 && { same }) }
}

function readSame(decoder: Decoder): OwnDocumentName[] {
  const flags = readUint(decoder)
  ensure(flags <= 3, `documents ${flags}`)
  return ownDocumentNames.filter((_, index) => (flags & (1 << index)) !== 0)
}
