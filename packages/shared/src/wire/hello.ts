import { documentDigestBytes } from '../document-digest.ts'
import {
  type Decoder,
  type Encoder,
  ensure,
  noteWire,
  readBytes,
  readUint,
  readUserId,
  writeBytes,
  writeString,
  writeUint,
} from './codec.ts'
import { digestsWire } from './versions.ts'

/** 100, device → server, once and first: "I speak Kith's messages; my feed was read up to this cursor." */
export interface Hello {
  type: 'hello'
  /** The device's wire: 1 on `kith.v1`, otherwise as in `versions.ts`. */
  version: number
  /** The lowest wire of a server with which the device works; absent for wire 1, and then 1. */
  oldest?: number
  /** Opaque bytes from the server; empty if the device has none. */
  cursor: Uint8Array
  /** The incarnation of the account that the device synced with [D7], from the last `welcome`; absent before that. */
  incarnation?: Uint8Array
  /**
   * Owners that were fetched before and are still shown, at most 256: the same as a `fetch` of each, but answered before the
   * device is caught up, so that it then holds nothing of theirs that it may not see [V7]. Absent when there are none.
   */
  owners?: readonly string[]
  /** Digests of the documents that the device requests only if the server holds something else; from wire 3 on. */
  holds?: Readonly<Partial<Record<OwnDocumentName, Uint8Array>>>
}

/** The user's own documents, in the order in which messages name them. */
export const ownDocumentNames = ['roster', 'profile'] as const
export type OwnDocumentName = (typeof ownDocumentNames)[number]

export const helloType = 100
export const maxHelloOwners = 256
export const maxIncarnationBytes = 64

export function writeHello(encoder: Encoder, message: Hello): void {
  writeUint(encoder, message.version)
  writeBytes(encoder, message.cursor)
  const { incarnation = new Uint8Array(), owners = [] } = message
  writeBytes(encoder, incarnation)
  writeUint(encoder, owners.length)
  for (const owner of owners) writeString(encoder, owner)
  if (message.version > 1) writeUint(encoder, message.oldest ?? 1)
  if (message.version < digestsWire) return
  for (const name of ownDocumentNames) writeBytes(encoder, message.holds?.[name] ?? new Uint8Array())
}

export function readHello(decoder: Decoder): Hello {
  const version = readUint(decoder)
  ensure(version >= 1, `version ${version}`)
  noteWire(decoder, version)
  const cursor = readBytes(decoder, 64)
  const incarnation = readBytes(decoder, maxIncarnationBytes)
  const owners: string[] = []
  for (let left = readUint(decoder, maxHelloOwners); left > 0; left--) owners.push(readUserId(decoder))
  const oldest = version > 1 ? readUint(decoder, version) : undefined
  const holds = version >= digestsWire ? readDigests(decoder) : {}
  return {
    type: 'hello',
    version,
    ...(oldest !== undefined && { oldest }),
    cursor,
    ...(incarnation.length > 0 && { incarnation }),
    ...(owners.length > 0 && { owners }),
    ...(Object.keys(holds).length > 0 && { holds }),
  }
}

function readDigests(decoder: Decoder): NonNullable<Hello['holds']> {
  const holds: Partial<Record<OwnDocumentName, Uint8Array>> = {}
  for (const name of ownDocumentNames) {
    const digest = readBytes(decoder, documentDigestBytes)
    ensure(digest.length === 0 || digest.length === documentDigestBytes, `a digest of ${digest.length} bytes`)
    if (digest.length > 0) holds[name] = digest
  }
  return holds
}
