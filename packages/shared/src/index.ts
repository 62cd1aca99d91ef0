export type { CloseCode } from './close-codes.ts'
export { closeCodeFor, closeCodes, decodeRetryHint, encodeRetryHint } from './close-codes.ts'
export { documentDigest, documentDigestBytes } from './document-digest.ts'
export type { ErrorCode, KithErrorOptions } from './errors.ts'
export { isErrorCode, KithError } from './errors.ts'
export type { FieldValue, FlatMaps, KeyChange } from './flat-maps.ts'
export { applyChanges, flatMapsOf, sameValue } from './flat-maps.ts'
export type { Retired } from './generations.ts'
export {
  dayKey,
  founderOf,
  generationOf,
  isFounder,
  isOfEarlier,
  isRetiredKey,
  knownDays,
  mostRetired,
  namesRetired,
  nextFounder,
  retiredKey,
  retiredOf,
  retiredRoot,
} from './generations.ts'
export type { ContentLimits, Limits } from './limits.ts'
export { defaultContentLimits, defaultLimits, utf8Length } from './limits.ts'
export type { Fields } from './profile.ts'
export {
  fieldBytes,
  fieldOverheadBytes,
  mergeLevels,
  parseProfileKey,
  planField,
  profileBytes,
  profileFields,
  profileKey,
  profileRoot,
  valueBytes,
} from './profile.ts'
export type { ContactEdit, ContactPreferences, NewNonce, SyncPlan } from './roster/edits.ts'
export {
  isNarrowing,
  planAudience,
  planAutomaticFollow,
  planAutoSync,
  planConfirmation,
  planContact,
  planMessageAudience,
  planPresence,
  planRemoval,
  planRemovals,
  planSync,
  planSyncAsUpdate,
} from './roster/edits.ts'
export type { ContactFacts, RosterSettings } from './roster/facts.ts'
export {
  blockedUsers,
  contactFacts,
  countingFacts,
  factsOf,
  gives,
  isUnconfirmed,
  namedUsers,
  rosterSettings,
} from './roster/facts.ts'
export type { RosterRoot } from './roster/keys.ts'
export {
  grantKey,
  highestLevel,
  isLevel,
  maxNameBytes,
  nonceKey,
  parseGrantKey,
  parseNonceKey,
  privacyNames,
  rosterRoots,
  userOfKey,
} from './roster/keys.ts'
export { exceedsRelations, namingRoots } from './roster/relations.ts'
export { rosterBytes, rosterEntryBytes } from './roster/size.ts'
export { isUserId, parseUserId, type UserIdResult } from './user-id.ts'
export type { Audience, CommunicationReason, Standing, Visibility, VisibilityReason } from './visibility.ts'
export {
  audiences,
  communicationBetween,
  isAudience,
  messagingBetween,
  narrowerAudience,
  visibility,
} from './visibility.ts'
