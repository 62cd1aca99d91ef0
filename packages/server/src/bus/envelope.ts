import { createHmac, timingSafeEqual } from 'node:crypto'
import { BusError } from './bus-error.ts'
import { type BusMessage, membersOf, parseMessage, parseText } from './messages.ts'

/**
 * The version of the messages between nodes. A node refuses other versions: nodes of two versions continue to serve, without
 * receiving each other's messages.
 */
const version = 1
/** RFC 2104, section 5: at least half of the hash. */
const tagBytes = 16
const headBytes = 1 + tagBytes

/** A message with the data that the bus needs. */
export type Envelope =
  | { kind: 'say'; from: string; message: BusMessage }
  /** A request, with a number assigned by the requesting node. */
  | { kind: 'ask'; from: string; request: number; message: BusMessage }
  | { kind: 'answer'; from: string; request: number; message: BusMessage }
  /** A request that failed, or is not understood. */
  | { kind: 'decline'; from: string; request: number; reason: string }

const maxNodeLength = 64
const maxReasonLength = 500

/**
 * A version byte, a tag, and JSON. The tag proves that a node of this cluster sent the envelope on this subject. A party that
 * can reach the carrier but not the database can neither forge a message nor forward one to another node.
 */
export function sealEnvelope(key: Uint8Array, subject: string, envelope: Envelope): Uint8Array {
  const body = Buffer.from(JSON.stringify(envelope))
  return Buffer.concat([Buffer.of(version), tagOf(key, subject, body), body])
}

/** Throws {@link BusError} if the envelope is damaged, forged, of another version, or nothing that this version sends. */
export function openEnvelope(key: Uint8Array, subject: string, bytes: Uint8Array): Envelope {
  if (bytes.length <= headBytes) throw new BusError(`a message of ${bytes.length} bytes: too short`)
  if (bytes[0] !== version) {
    throw new BusError(
      `a message of version ${bytes[0]}, and this node knows version ${version}: run one version of Kith on all nodes`,
    )
  }
  const body = bytes.subarray(headBytes)
  if (!timingSafeEqual(bytes.subarray(1, headBytes), tagOf(key, subject, body))) {
    throw new BusError('a message that no node of this cluster sent: keep others away from what carries the messages')
  }
  return parseEnvelope(parseJson(body))
}

function tagOf(key: Uint8Array, subject: string, body: Uint8Array): Uint8Array {
  const hmac = createHmac('sha256', key).update(Buffer.of(version)).update(subject).update(Buffer.of(0)).update(body)
  return hmac.digest().subarray(0, tagBytes)
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new BusError('a message that is no JSON', { cause: error })
  }
}

function parseEnvelope(value: unknown): Envelope {
  const envelope = membersOf(value, 'an envelope')
  const { kind } = envelope
  const from = parseText(envelope['from'], 'from', maxNodeLength)
  switch (kind) {
    case 'say':
      return { kind, from, message: parseMessage(envelope['message']) }
    case 'ask':
    case 'answer':
      return { kind, from, request: parseNumber(envelope['request']), message: parseMessage(envelope['message']) }
    case 'decline':
      return {
        ...{ kind, from, request: parseNumber(envelope['request']) },
        reason: parseText(envelope['reason'], 'reason', maxReasonLength),
      }
    default:
      throw new BusError('an envelope of an unknown kind: upgrade this node')
  }
}

function parseNumber(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw new BusError('request is no whole number')
}
