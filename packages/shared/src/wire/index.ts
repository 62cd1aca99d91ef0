export type { Access } from './access.ts'
export type { DeflatedRoster } from './deflated-roster.ts'
export { maxInflatedBytes } from './deflated-roster.ts'
export { decodeServerMessage, encodeClientMessage } from './device-frame.ts'
export type { Difference } from './difference.ts'
export { encodeDifferenceFrame } from './difference.ts'
export type { Failure } from './failure.ts'
export { maxFailureAddresses } from './failure.ts'
export { decodeFields, encodeFields, fieldsDigest, fieldsDigestBytes, splitFields } from './fields.ts'
export type { ClientMessage, DeviceMessage, Frame, ServerMessage } from './frame.ts'
export { decodeFrame, decodeNewerFrame, encodeFrame, isYProtocols } from './frame.ts'
export type { Malformed } from './framing.ts'
export { maxHelloOwners, ownDocumentNames } from './hello.ts'
export type { Delivery, Outcome } from './outcome.ts'
export type { OwnProfile } from './own-profile.ts'
export type { PresenceState } from './presence.ts'
export type { Profile } from './profile.ts'
export { encodeProfileFrame } from './profile.ts'
export type { RosterSync } from './roster-sync.ts'
export type { Wire } from './versions.ts'
export {
  deflateWire,
  differencesWire,
  fitOf,
  generationsWire,
  oldestWire,
  subprotocol,
  versionedSubprotocol,
  wireVersion,
} from './versions.ts'
export type { Understanding, Welcome } from './welcome.ts'
