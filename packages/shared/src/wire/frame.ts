import { type Access, accessType, readAccess, writeAccess } from './access.ts'
import {
  type Awareness,
  awarenessType,
  type QueryAwareness,
  queryAwarenessType,
  readAwareness,
  readQueryAwareness,
  writeAwareness,
  writeQueryAwareness,
} from './awareness.ts'
import { type Barrier, barrierType, readBarrier, writeBarrier } from './barrier.ts'
import { type CaughtUp, caughtUpType, readCaughtUp, writeCaughtUp } from './caught-up.ts'
import type { Decoder, Encoder } from './codec.ts'
import { type DeflatedRoster, deflatedRosterType, readDeflatedRoster, writeDeflatedRoster } from './deflated-roster.ts'
import { type Difference, differenceType, readDifference, writeDifference } from './difference.ts'
import { type Failure, failureType, readFailure, writeFailure } from './failure.ts'
import { type Fetch, fetchType, readFetch, writeFetch } from './fetch.ts'
import { framed, type Malformed, unframed } from './framing.ts'
import { type Hello, helloType, readHello, writeHello } from './hello.ts'
import { type Message, messageType, readMessage, writeMessage } from './message.ts'
import { type Outcome, outcomeType, readOutcome, writeOutcome } from './outcome.ts'
import { type OwnProfile, ownProfileType, readOwnProfile, writeOwnProfile } from './own-profile.ts'
import { type Presence, presenceType, readPresence, writePresence } from './presence.ts'
import { type Profile, profileType, readProfile, writeProfile } from './profile.ts'
import { type Reached, reachedType, readReached, writeReached } from './reached.ts'
import { type Received, readReceived, receivedType, writeReceived } from './received.ts'
import { type Refused, readRefused, refusedType, writeRefused } from './refused.ts'
import { type Renew, readRenew, renewType, writeRenew } from './renew.ts'
import { type RosterSync, readRosterSync, rosterSyncType, writeRosterSync } from './roster-sync.ts'
import { readSendMessage, type SendMessage, sendMessageType, writeSendMessage } from './send-message.ts'
import { readWatch, type Watch, watchType, writeWatch } from './watch.ts'
import { readWelcome, type Welcome, welcomeType, writeWelcome } from './welcome.ts'

/** The messages that Kith's own client sends. */
export type ClientMessage =
  | RosterSync
  | DeflatedRoster
  | Hello
  | OwnProfile
  | Barrier
  | Fetch
  | SendMessage
  | Received
  | Renew
  | Watch

/** The messages that a device may send: stock providers also send awareness. */
export type DeviceMessage = ClientMessage | Awareness | QueryAwareness

/** The messages that the server may send. */
export type ServerMessage =
  | RosterSync
  | Awareness
  | Welcome
  | OwnProfile
  | Reached
  | Refused
  | Access
  | Profile
  | Difference
  | CaughtUp
  | Message
  | Outcome
  | Failure
  | Presence

export type Frame = DeviceMessage | ServerMessage

interface Codec<M> {
  number: number
  write: (encoder: Encoder, message: M) => void
  read: (decoder: Decoder) => M
}

const codecs: { [T in Frame['type']]: Codec<Extract<Frame, { type: T }>> } = {
  rosterSync: { number: rosterSyncType, write: writeRosterSync, read: readRosterSync },
  awareness: { number: awarenessType, write: writeAwareness, read: readAwareness },
  queryAwareness: { number: queryAwarenessType, write: writeQueryAwareness, read: readQueryAwareness },
  hello: { number: helloType, write: writeHello, read: readHello },
  welcome: { number: welcomeType, write: writeWelcome, read: readWelcome },
  ownProfile: { number: ownProfileType, write: writeOwnProfile, read: readOwnProfile },
  barrier: { number: barrierType, write: writeBarrier, read: readBarrier },
  reached: { number: reachedType, write: writeReached, read: readReached },
  refused: { number: refusedType, write: writeRefused, read: readRefused },
  fetch: { number: fetchType, write: writeFetch, read: readFetch },
  access: { number: accessType, write: writeAccess, read: readAccess },
  profile: { number: profileType, write: writeProfile, read: readProfile },
  caughtUp: { number: caughtUpType, write: writeCaughtUp, read: readCaughtUp },
  sendMessage: { number: sendMessageType, write: writeSendMessage, read: readSendMessage },
  message: { number: messageType, write: writeMessage, read: readMessage },
  received: { number: receivedType, write: writeReceived, read: readReceived },
  outcome: { number: outcomeType, write: writeOutcome, read: readOutcome },
  renew: { number: renewType, write: writeRenew, read: readRenew },
  failure: { number: failureType, write: writeFailure, read: readFailure },
  watch: { number: watchType, write: writeWatch, read: readWatch },
  deflatedRoster: { number: deflatedRosterType, write: writeDeflatedRoster, read: readDeflatedRoster },
  difference: { number: differenceType, write: writeDifference, read: readDifference },
  presence: { number: presenceType, write: writePresence, read: readPresence },
}

let readersByNumber: Map<number, (decoder: Decoder) => Frame> | undefined

/** Encodes one message as one binary websocket frame: its type number as a varint, then its content. */
export function encodeFrame(message: Frame): Uint8Array {
  const codec = codecs[message.type] as Codec<Frame>
  return framed(codec.number, encoder => codec.write(encoder, message))
}

/**
 * Decodes the message in a frame. Returns `{ type: 'malformed' }` with the reason for any bytes that {@link encodeFrame} cannot
 * produce, except for the content of an awareness message, which is dropped unread. Never throws. The receiver must check
 * whether the other side may send such a message.
 */
export function decodeFrame(bytes: Uint8Array): Frame | Malformed {
  return unframed(bytes, readerOf)
}

/** As `decodeFrame`, for a frame from a side with a later wire. */
export function decodeNewerFrame(bytes: Uint8Array): Frame | Malformed {
  return unframed(bytes, readerOf, true)
}

function readerOf(number: number): ((decoder: Decoder) => Frame) | undefined {
  readersByNumber ??= new Map(Object.values(codecs).map(({ number, read }) => [number, read]))
  return readersByNumber.get(number)
}

/** Whether a frame is one of y-protocols' own (types 0 to 3), to which the roster's limit applies, not the frame's [S3]. */
export function isYProtocols(bytes: Uint8Array): boolean {
  return bytes.length > 0 && (bytes[0] as number) <= queryAwarenessType
}
