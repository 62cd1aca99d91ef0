import { type EventName, type OutboxEvent, usersOf } from '../../relations/outbox.ts'
import type { RecordWrite, Removal } from '../../relations/record-store.ts'
import { type KeyRange, keys, ranges } from './keys.ts'
import {
  encodeAsked,
  encodeEvent,
  encodeLevel,
  encodeNumber,
  encodeRelation,
  encodeText,
  encodeUser,
} from './record-codec.ts'

/** One record of a batch that is written to the disk. */
export type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

const nothing = new Uint8Array()

export function operationOf(write: Exclude<RecordWrite, { kind: 'revocation' | 'event' }>): Operation {
  switch (write.kind) {
    case 'user':
      return putOrDelete(keys.user(write.id), write.user && encodeUser(write.user))
    case 'relation':
      return putOrDelete(keys.relation(write.pair.a, write.pair.b), write.relation && encodeRelation(write.relation))
    case 'level':
      return put(keys.level(write.name.owner, write.name.level), encodeLevel(write.record))
    case 'asked':
      return put(keys.asked(write.lookup.viewer, write.lookup.id), encodeAsked(write.atMs))
    case 'erasures':
      return put(keys.erased(write.id), encodeNumber(write.count))
    case 'update':
      return put(keys.update(write.user, write.document, write.position), write.update)
    case 'snapshot':
      return put(keys.snapshot(write.user, write.document), write.snapshot)
    case 'change':
      return put(keys.change(write.position), encodeText(write.user))
  }
}

/** An event has a record, and an index record for each way in which it is looked up. */
export function operationsOfEvent(write: Extract<RecordWrite, { kind: 'event' }>): Operation[] {
  const { name, event, before } = write
  if (!event) return before ? keysOfEvent(name, before).map(key => ({ type: 'del', key })) : []
  const isDead = event.failed !== undefined
  const [line, dead] = [keys.eventLine(event.line, name), keys.eventDead(name)]
  return [
    put(keys.event(name), encodeEvent(event)),
    put(isDead ? dead : line, nothing),
    ...(before
      ? [{ type: 'del' as const, key: isDead ? line : dead }]
      : usersOf(event).map(user => aboutOf(user, name, event))),
  ]
}

function aboutOf(user: string, name: EventName, { line, other }: OutboxEvent): Operation {
  return put(keys.eventAbout(user, name), encodeText(JSON.stringify({ line, other })))
}

/** Returns all keys under which an event is stored. */
export function keysOfEvent(name: EventName, event: Pick<OutboxEvent, 'line' | 'other'>): string[] {
  const about = usersOf(event).map(user => keys.eventAbout(user, name))
  return [keys.event(name), keys.eventLine(event.line, name), keys.eventDead(name), ...about]
}

export function revocationOf(id: string, atMs: number): Operation {
  return put(keys.tokens(id), encodeNumber(atMs))
}

/** Returns the range that a removal removes. */
export function removedRange(removal: Removal): KeyRange {
  switch (removal.kind) {
    case 'levels':
      return ranges.levels(removal.owner)
    case 'asked':
      return ranges.asked(removal.viewer)
    case 'document':
      return ranges.document(removal.user, removal.document)
    case 'events':
      return ranges.eventsAbout(removal.about)
  }
}

function put(key: string, value: Uint8Array): Operation {
  return { type: 'put', key, value }
}

function putOrDelete(key: string, value: Uint8Array | undefined): Operation {
  return value ? put(key, value) : { type: 'del', key }
}
