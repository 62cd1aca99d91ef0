import { accessType, readAccess } from './access.ts'
import { awarenessType, readAwareness } from './awareness.ts'
import { barrierType, writeBarrier } from './barrier.ts'
import { caughtUpType, readCaughtUp } from './caught-up.ts'
import type { Decoder, Encoder } from './codec.ts'
import { deflatedRosterType, writeDeflatedRoster } from './deflated-roster.ts'
import { differenceType, readDifference } from './difference.ts'
import { failureType, readFailure } from './failure.ts'
import { fetchType, writeFetch } from './fetch.ts'
import type { ClientMessage, ServerMessage } from './frame.ts'
import { framed, type Malformed, unframed } from './framing.ts'
import { helloType, writeHello } from './hello.ts'
import { messageType, readMessage } from './message.ts'
import { outcomeType, readOutcome } from './outcome.ts'
import { ownProfileType, readOwnProfile, writeOwnProfile } from './own-profile.ts'
import { presenceType, readPresence } from './presence.ts'
import { profileType, readProfile } from './profile.ts'
import { reachedType, readReached } from './reached.ts'
import { receivedType, writeReceived } from './received.ts'
import { readRefused, refusedType } from './refused.ts'
import { renewType, writeRenew } from './renew.ts'
import { readRosterSync, rosterSyncType, writeRosterSync } from './roster-sync.ts'
import { sendMessageType, writeSendMessage } from './send-message.ts'
import { watchType, writeWatch } from './watch.ts'
import { readWelcome, welcomeType } from './welcome.ts'

/*
 * The part of the wire that a device needs: code that only servers use to write or read is not in an app's bundle.
 */

type Writers = {
  [T in ClientMessage['type']]: [
    number: number,
    write: (encoder: Encoder, message: Extract<ClientMessage, { type: T }>) => void,
  ]
}

const writers: Writers = {
  rosterSync: [rosterSyncType, writeRosterSync],
  deflatedRoster: [deflatedRosterType, writeDeflatedRoster],
  hello: [helloType, writeHello],
  ownProfile: [ownProfileType, writeOwnProfile],
  barrier: [barrierType, writeBarrier],
  fetch: [fetchType, writeFetch],
  sendMessage: [sendMessageType, writeSendMessage],
  received: [receivedType, writeReceived],
  renew: [renewType, writeRenew],
  watch: [watchType, writeWatch],
}

type Readers = {
  [T in ServerMessage['type']]: [number: number, read: (decoder: Decoder) => Extract<ServerMessage, { type: T }>]
}

const readers: Readers = {
  rosterSync: [rosterSyncType, readRosterSync],
  awareness: [awarenessType, readAwareness],
  welcome: [welcomeType, readWelcome],
  ownProfile: [ownProfileType, readOwnProfile],
  reached: [reachedType, readReached],
  refused: [refusedType, readRefused],
  access: [accessType, readAccess],
  profile: [profileType, readProfile],
  difference: [differenceType, readDifference],
  caughtUp: [caughtUpType, readCaughtUp],
  message: [messageType, readMessage],
  outcome: [outcomeType, readOutcome],
  failure: [failureType, readFailure],
  presence: [presenceType, readPresence],
}

/** See `encodeFrame`. */
export function encodeClientMessage(message: ClientMessage): Uint8Array {
  const [number, write] = writers[message.type]
  return framed(number, encoder => (write as (encoder: Encoder, message: ClientMessage) => void)(encoder, message))
}

/** As `decodeFrame`; messages that a server does not send are malformed. `isFromNewer`: the server has a later wire. */
export function decodeServerMessage(bytes: Uint8Array, isFromNewer = false): ServerMessage | Malformed {
  const all: [number, (decoder: Decoder) => ServerMessage][] = Object.values(readers)
  return unframed(bytes, number => all.find(([own]) => own === number)?.[1], isFromNewer)
}
