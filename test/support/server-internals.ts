// What tests of @kith/server need of its inside. The package does not export it, so it may change at any time.

export type { Writer } from '../../packages/server/src/accounts/account.ts'
export { Accounts } from '../../packages/server/src/accounts/accounts.ts'
export { admit } from '../../packages/server/src/admission/admission.ts'
export { ItemsByClient } from '../../packages/server/src/admission/items-by-client.ts'
export { MergingCost } from '../../packages/server/src/admission/merging-cost.ts'
export { Places as RelationPlaces } from '../../packages/server/src/admission/places.ts'
export { RelationCount } from '../../packages/server/src/admission/relation-count.ts'
export { profileRules, rosterRules } from '../../packages/server/src/admission/rules.ts'
export { sizeError } from '../../packages/server/src/admission/size-limits.ts'
export type { Admission } from '../../packages/server/src/admission/verdict.ts'
export type { Engine } from '../../packages/server/src/assemble.ts'
export { assemble } from '../../packages/server/src/assemble.ts'
export { Documents } from '../../packages/server/src/documents/document-cache.ts'
export { mergeUpdates } from '../../packages/server/src/documents/merge.ts'
export { MergeThread } from '../../packages/server/src/documents/merge-thread.ts'
export type { RemoteDocument } from '../../packages/server/src/documents/remote-document.ts'
export { clientsNamed } from '../../packages/server/src/documents/state-vector.ts'
export { StoredDocument } from '../../packages/server/src/documents/stored-document.ts'
export { requestDeadlineMs } from '../../packages/server/src/http/connections.ts'
export { Presence } from '../../packages/server/src/presence/presence.ts'
export { PresenceSubscription } from '../../packages/server/src/presence/subscription.ts'
export type { PresenceListener } from '../../packages/server/src/presence/subscriptions.ts'
export { PresenceSubscriptions } from '../../packages/server/src/presence/subscriptions.ts'
export type { Disk } from '../../packages/server/src/relations/draft.ts'
export { Draft } from '../../packages/server/src/relations/draft.ts'
export { lookupDelayMs } from '../../packages/server/src/relations/follow-budget.ts'
export { Incarnations } from '../../packages/server/src/relations/incarnations.ts'
export type { DocumentName } from '../../packages/server/src/relations/keys.ts'
export { keys, parseOrdered, partsOf, ranges } from '../../packages/server/src/relations/keys.ts'
export {
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeUser,
  encodeLevel,
  encodeNumber,
  encodeRelation,
  encodeUser,
} from '../../packages/server/src/relations/record-codec.ts'
export type { Relation, UserRecord } from '../../packages/server/src/relations/records.ts'
export { noRelation } from '../../packages/server/src/relations/records.ts'
export { sortedInTurns } from '../../packages/server/src/relations/sorted-in-turns.ts'
export type { DocumentsChange } from '../../packages/server/src/relations/store.ts'
export { Unwritable } from '../../packages/server/src/relations/unwritable.ts'
export { CurrentReads } from '../../packages/server/src/relay/current-reads.ts'
export { Cursors } from '../../packages/server/src/relay/cursors.ts'
export type { Entry, Follower } from '../../packages/server/src/relay/entry.ts'
export { Feed } from '../../packages/server/src/relay/feed.ts'
export { RecentChanges } from '../../packages/server/src/relay/recent-changes.ts'
export type { Receiver } from '../../packages/server/src/relay/relay.ts'
export { Relay } from '../../packages/server/src/relay/relay.ts'
export { readSettings } from '../../packages/server/src/settings.ts'
export type { Context } from '../../packages/server/src/socket/context.ts'
export { costOf } from '../../packages/server/src/socket/cost.ts'
export type { DeviceSocket } from '../../packages/server/src/socket/device-socket.ts'
export { DirectMessages } from '../../packages/server/src/socket/direct-messages.ts'
export { Inbox } from '../../packages/server/src/socket/inbox.ts'
export { KithSocket } from '../../packages/server/src/socket/kith-socket.ts'
export { OneAtATime } from '../../packages/server/src/socket/one-at-a-time.ts'
export { Places } from '../../packages/server/src/socket/places.ts'
export { RateLimits } from '../../packages/server/src/socket/rate-limits.ts'
export { Session } from '../../packages/server/src/socket/session.ts'
export { StallWatch } from '../../packages/server/src/socket/stall.ts'
export { TokenBucket } from '../../packages/server/src/socket/token-bucket.ts'
export { TurnShare } from '../../packages/server/src/socket/turn-share.ts'
export { findDamage } from '../../packages/server/src/store/files/damage.ts'
export { readLog } from '../../packages/server/src/store/files/log-file.ts'
export { openStore } from '../../packages/server/src/store/level-store.ts'
export { storeOn } from '../../packages/server/src/store/open.ts'
export { Runs } from '../../packages/server/src/store/runs.ts'
export {
  following,
  profileChange,
  relationOf,
  rosterChange,
  userChange,
} from '../../packages/server/src/testing/store-contract/changes.ts'
export { Tokens } from '../../packages/server/src/tokens.ts'
export { inSlices, Turns } from '../../packages/server/src/turns.ts'
