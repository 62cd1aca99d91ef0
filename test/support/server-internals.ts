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
export type { Bus, Carrier } from '../../packages/server/src/bus/bus.ts'
export { sealEnvelope } from '../../packages/server/src/bus/envelope.ts'
export { LocalHub } from '../../packages/server/src/bus/local-carrier.ts'
export { openBus } from '../../packages/server/src/bus/message-bus.ts'
export type { BusMessage, Letter } from '../../packages/server/src/bus/messages.ts'
export { connectNats } from '../../packages/server/src/bus/nats-carrier.ts'
export { PostgresCarrier } from '../../packages/server/src/bus/postgres-carrier.ts'
export type { LeaseClock } from '../../packages/server/src/clock.ts'
export { Documents } from '../../packages/server/src/documents/document-cache.ts'
export { mergeUpdates } from '../../packages/server/src/documents/merge.ts'
export { MergeThread } from '../../packages/server/src/documents/merge-thread.ts'
export type { RemoteDocument } from '../../packages/server/src/documents/remote-document.ts'
export { clientsNamed } from '../../packages/server/src/documents/state-vector.ts'
export { StoredDocument } from '../../packages/server/src/documents/stored-document.ts'
export { requestDeadlineMs } from '../../packages/server/src/http/connections.ts'
export { Pace, pace } from '../../packages/server/src/pace.ts'
export { PresenceElsewhere } from '../../packages/server/src/presence/elsewhere.ts'
export { Presence } from '../../packages/server/src/presence/presence.ts'
export type { Stays, StaysPort } from '../../packages/server/src/presence/stays.ts'
export { PresenceSubscription } from '../../packages/server/src/presence/subscription.ts'
export type { PresenceListener } from '../../packages/server/src/presence/subscriptions.ts'
export { PresenceSubscriptions } from '../../packages/server/src/presence/subscriptions.ts'
export { derive } from '../../packages/server/src/relations/derive.ts'
export { Draft } from '../../packages/server/src/relations/draft.ts'
export { lookupDelayMs } from '../../packages/server/src/relations/follow-budget.ts'
export { Incarnations } from '../../packages/server/src/relations/incarnations.ts'
export { names } from '../../packages/server/src/relations/record-names.ts'
export type { RecordWrite } from '../../packages/server/src/relations/record-store.ts'
export { RecordedReads } from '../../packages/server/src/relations/recorded-reads.ts'
export type { DocumentName, LevelRecord, Relation, UserRecord } from '../../packages/server/src/relations/records.ts'
export { newUser, noRelation } from '../../packages/server/src/relations/records.ts'
export { sortedInTurns } from '../../packages/server/src/relations/sorted-in-turns.ts'
export type { DocumentsChange, View } from '../../packages/server/src/relations/store.ts'
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
export { Letters } from '../../packages/server/src/socket/letters.ts'
export { OneAtATime } from '../../packages/server/src/socket/one-at-a-time.ts'
export { Places } from '../../packages/server/src/socket/places.ts'
export { RateLimits } from '../../packages/server/src/socket/rate-limits.ts'
export { Session } from '../../packages/server/src/socket/session.ts'
export { StallWatch } from '../../packages/server/src/socket/stall.ts'
export { TokenBucket } from '../../packages/server/src/socket/token-bucket.ts'
export { TurnShare } from '../../packages/server/src/socket/turn-share.ts'
export { newNotes } from '../../packages/server/src/store/commit-notes.ts'
export { copy } from '../../packages/server/src/store/copy/copy.ts'
export { findDamage } from '../../packages/server/src/store/level/files/damage.ts'
export { readLog } from '../../packages/server/src/store/level/files/log-file.ts'
export { keys, parseOrdered, partsOf, ranges } from '../../packages/server/src/store/level/keys.ts'
export { LevelRecords } from '../../packages/server/src/store/level/level-records.ts'
export { openStore } from '../../packages/server/src/store/level/level-store.ts'
export { storeOn } from '../../packages/server/src/store/level/open.ts'
export { operationOf } from '../../packages/server/src/store/level/operations.ts'
export { PagedReads } from '../../packages/server/src/store/level/paged-reads.ts'
export { ReadGate } from '../../packages/server/src/store/level/read-gate.ts'
export {
  decodeLevel,
  decodeNumber,
  decodeRelation,
  decodeUser,
  encodeLevel,
  encodeNumber,
  encodeRelation,
  encodeUser,
} from '../../packages/server/src/store/level/record-codec.ts'
export { Runs } from '../../packages/server/src/store/level/runs.ts'
export type { CommitSizes } from '../../packages/server/src/store/level/sizes.ts'
export { byteOrdered, keyOf } from '../../packages/server/src/store/level/stage/byte-order.ts'
export { Slice } from '../../packages/server/src/store/level/stage/slice.ts'
export { decodeCommits, encodeCommits } from '../../packages/server/src/store/nodes/commit-codec.ts'
export { openNodeStore } from '../../packages/server/src/store/nodes/node-store.ts'
export type { NodeName, NodeTable, Standing } from '../../packages/server/src/store/nodes/node-table.ts'
export { leaseMs, marginMs } from '../../packages/server/src/store/nodes/node-table.ts'
export { provisional } from '../../packages/server/src/store/nodes/provisional.ts'
export { isSameRun } from '../../packages/server/src/store/nodes/runs.ts'
export type {
  Batch,
  BatchRecords,
  LogRead,
  Outcome,
  SharedDatabase,
  Versioned,
  WriteBatch,
} from '../../packages/server/src/store/nodes/shared-database.ts'
export { writeSetOf } from '../../packages/server/src/store/nodes/write-set.ts'
export { checkDatabase } from '../../packages/server/src/store/postgres/check.ts'
export { compactDatabase } from '../../packages/server/src/store/postgres/compact.ts'
export { Database } from '../../packages/server/src/store/postgres/database.ts'
export { withDatabase } from '../../packages/server/src/store/postgres/maintenance.ts'
export { migrate } from '../../packages/server/src/store/postgres/migrate.ts'
export { openPostgresStore } from '../../packages/server/src/store/postgres/open.ts'
export { PostgresStays } from '../../packages/server/src/store/postgres/stays.ts'
export {
  following,
  profileChange,
  relationOf,
  rosterChange,
  userChange,
} from '../../packages/server/src/testing/store-contract/changes.ts'
export { Tokens } from '../../packages/server/src/tokens.ts'
export { inSlices, Turns, turnForSlice } from '../../packages/server/src/turns.ts'
