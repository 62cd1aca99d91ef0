import { expectKnown } from './unknown-record.ts'

/** The kind of an event for the app's backend. */
export type EventType =
  | 'user.registered'
  | 'user.erased'
  | 'message.undelivered'
  | 'contact.granted'
  | 'access.withdrawn'
  /** The outbox was full: events are missing between this one and the next. */
  | 'events.missed'

/** An event in the outbox. It is written in the commit that caused it, and removed when the receiver has accepted it [D4]. */
export interface OutboxEvent {
  type: EventType
  /** The user to whose line the event belongs: the events of one user are delivered in order. Empty for `events.missed`. */
  line: string
  /** The other user concerned, if there is one. */
  other?: string | undefined
  atMs: number
  data: Readonly<Record<string, unknown>>
  /** Random. It keeps the event's id unique even if the history was lost. */
  tag: string
  /** Present on a dead letter: when and why delivery was given up. */
  failed?: { atMs: number; reason: string } | undefined
}

/** The place of an event in the store's one order of commits: the position of its commit, and its number within the commit. */
export interface EventName {
  position: number
  index: number
}

export interface StoredEvent {
  name: EventName
  event: OutboxEvent
}

/** The read access to the outbox. Only commits write to it. */
export interface Outbox {
  /** The first event of a line after a name that is not a dead letter. */
  next(line: string, after?: EventName): Promise<StoredEvent | undefined>
  /** Events of all lines that are not dead letters, oldest first. */
  waiting(after: EventName | undefined, most: number): Promise<StoredEvent[]>
  find(name: EventName): Promise<StoredEvent | undefined>
  /** Dead letters, oldest first. */
  dead(after: EventName | undefined, most: number): Promise<StoredEvent[]>
  /** The number of events in the outbox, and how many of them are dead letters. */
  count(): Promise<{ all: number; dead: number }>
  /**
   * Makes the caller the one that delivers events, for this time from the call on, unless another holder still has the claim. A
   * holder must call this again before that time is over. Always succeeds if only one process uses the store.
   */
  claim(holder: string, forMs: number): Promise<boolean>
  /** Ends the holder's claim. */
  release(holder: string): Promise<void>
}

const members: ReadonlySet<string> = new Set<keyof OutboxEvent>([
  'type',
  'line',
  'other',
  'atMs',
  'data',
  'tag',
  'failed',
])

/** Throws {@link UnknownRecord} if a member of the event is not known. */
export function knownEvent(event: OutboxEvent): OutboxEvent {
  for (const member of Object.keys(event)) {
    expectKnown(members.has(member), `an event with the member ${JSON.stringify(member)}`)
  }
  return event
}

/** A name before every event. */
export const firstEvent: EventName = { position: 0, index: 0 }

/** The id that the receiver and the admin API use. It is unique forever, and contains the event's name. */
export function eventId({ name: { position, index }, event: { tag } }: StoredEvent): string {
  return `evt_${position}_${index}_${tag}`
}

/** Returns the name in an id, or `undefined` if the text is not an id. */
export function parseEventId(id: string): EventName | undefined {
  const match = /^evt_(\d{1,15})_(\d{1,9})_[\w-]{1,32}$/.exec(id)
  return match ? { position: Number(match[1]), index: Number(match[2]) } : undefined
}

/** All users that an event concerns. */
export function usersOf({ line, other }: Pick<OutboxEvent, 'line' | 'other'>): string[] {
  return [...new Set([line, other ?? line])].filter(user => user !== '')
}
