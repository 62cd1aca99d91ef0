import type { EventsChange, UndeliveredMessage } from './changes.ts'
import type { CommitNotes, Draft } from './draft.ts'
import { messagingOf } from './standing.ts'
import { isOfAccounts } from './views.ts'

/** Events that follow from changes, for the app's backend: docs/guides/webhooks.md says when each is sent. */

export function tellRegistered(draft: Draft, notes: CommitNotes, user: string): void {
  draft.tell(notes, { type: 'user.registered', line: user, data: { user } })
}

export function tellErased(draft: Draft, notes: CommitNotes, user: string): void {
  draft.tell(notes, { type: 'user.erased', line: user, data: { user } })
}

/** The levels that an owner's roster, or the rules of visibility, give a viewer before and after a change. */
interface Levels {
  owner: string
  viewer: string
  before: readonly number[]
  after: readonly number[]
}

/** Tells of the grants that count. A grant to an id that changed hands counts once it is confirmed [D7]. */
export function tellGranted(draft: Draft, notes: CommitNotes, { owner, viewer, before, after }: Levels): void {
  const added = without(after, before)
  if (added.length === 0) return
  draft.tell(notes, { type: 'contact.granted', line: owner, other: viewer, data: { owner, viewer, levels: added } })
}

/** Tells of the levels that the viewer may no longer see, for any cause on either side [V7]. */
export function tellWithdrawn(draft: Draft, notes: CommitNotes, { owner, viewer, before, after }: Levels): void {
  const lost = without(before, after)
  if (lost.length === 0) return
  draft.tell(notes, { type: 'access.withdrawn', line: owner, other: viewer, data: { owner, viewer, levels: lost } })
}

function without(levels: readonly number[], others: readonly number[]): number[] {
  return levels.filter(level => !others.includes(level))
}

/**
 * Tells of a message that no device received. It waited for a device meanwhile, so the records are read again: the event must
 * not be about the next holder of an id [D7], nor about a message that may no longer reach the recipient.
 */
export async function tellUndelivered(draft: Draft, notes: CommitNotes, message: UndeliveredMessage): Promise<void> {
  const { from, to, id, text, isAllowed, accounts, widest } = message
  await draft.loadPairs(from, [to])
  const view = { viewer: draft.user(from), owner: draft.user(to), relation: draft.relation(from, to) }
  if (!isAllowed || !isOfAccounts(view, accounts) || messagingOf(view, widest) !== 'allowed') return
  const data = { sender: from, recipient: to, id, ...(draft.tellsText && { text }) }
  draft.tell(notes, { type: 'message.undelivered', line: to, other: from, by: from, data })
}

/** Records the outcomes of events. Events that were erased meanwhile are not restored. */
export async function settleEvents(draft: Draft, notes: CommitNotes, change: EventsChange): Promise<void> {
  const { removed = [], dead = [], revived = [] } = change
  for (const { name, event } of await draft.own.events(removed)) draft.own.writeEvent(name, undefined, event)
  const reasons = new Map(dead.map(({ name, reason }) => [`${name.position} ${name.index}`, reason]))
  for (const { name, event } of await draft.own.events(dead.map(({ name }) => name))) {
    const reason = reasons.get(`${name.position} ${name.index}`) ?? ''
    draft.own.writeEvent(name, { ...event, failed: { atMs: draft.nowMs, reason } }, event)
  }
  for (const { name, event } of await draft.own.events(revived)) {
    const { failed: _, ...alive } = event
    draft.own.writeEvent(name, alive, event)
    notes.lines.add(event.line)
  }
}
