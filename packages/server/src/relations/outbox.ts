import { expectKnown } from './unknown-record.ts'

/** What an event tells the app's backend of. */
export type EventType =
  | 'user.registered'
  | 'user.erased'
  | 'message.undelivered'
  | 'contact.granted'
  | 'access.withdrawn'
  /** The outbox was full: from here on events are missing, until the next one. */
  | 'events.missed'

/** An event in the outbox. It is written in the commit that caused it, and removed when the receiver has taken it [D4]. */
export interface OutboxEvent {
  type: EventType
  /** Whose events it is one of: those of one user are delivered in order. Empty for `events.missed`. */
  line: string
  /** The other user whom it is about, if there is one. */
  other?: string | undefined
  atMs: number
  data: Readonly<Record<string, unknown>>
  /** Random: it makes the event's id unique also when the history was lost. */
  tag: string
  /** Present on a dead letter: when it was given up, and why. */
  failed?: { atMs: number; reason: string } | undefined
}

/** Where an event stands in the store's one order of commits: the position of its commit, and its number in it. */
export interface EventName {
  position: number
  index: number
}

export interface StoredEvent {
  name: EventName
  event: OutboxEvent
}

/** What is read of the outbox. It is written by commits alone. */
export interface Outbox {
  /** The first event of a line, after a name, that is no dead letter. */
  next(line: string, after?: EventName): Promise<StoredEvent | undefined>
  /** Events of all lines that are no dead letters, oldest first. */
  waiting(after: EventName | undefined, most: number): Promise<StoredEvent[]>
  find(name: EventName): Promise<StoredEvent | undefined>
  /** Dead letters, oldest first. */
  dead(after: EventName | undefined, most: number): Promise<StoredEvent[]>
  /** How many events it holds, and how many of them are dead letters. */
  count(): Promise<{ all: number; dead: number }>
  /**
   * Makes the caller the one who delivers, for so long from the call on, unless another holder still is. A holder calls again
   * before that is over. Always succeeds where one process has the store for itself.
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

/** Throws {@link UnknownRecord} unless all members of the event are known. */
export function knownEvent(event: OutboxEvent): OutboxEvent {
  for (const member of Object.keys(event)) {
    expectKnown(members.has(member), `an event with the member ${JSON.stringify(member)}`)
  }
  return event
}

/** Before every event. */
export const firstEvent: EventName = { position: 0, index: 0 }

/** As the receiver and the admin API have it. Unique for ever, and it names the event. */
export function eventId({ name: { position, index }, event: { tag } }: StoredEvent): string {
  return `evt_${position}_${index}_${tag}`
}

/** The name in an id; `undefined` for a text that is none. */
export function parseEventId(id: string): EventName | undefined {
  const match = /^evt_(\d{1,15})_(\d{1,9})_[\w-]{1,32}$/.exec(id)
  return match ? { position: Number(match[1]), index: Number(match[2]) } : undefined
}

/** All users whom an event is about. */
export function usersOf({ line, other }: Pick<OutboxEvent, 'line' | 'other'>): string[] {
  return [...new Set([line, other ?? line])].filter(user => user !== '')
}
