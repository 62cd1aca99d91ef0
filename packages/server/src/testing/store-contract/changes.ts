import type { ContactFacts, RosterSettings } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import type { Change, DocumentsChange, UndeliveredMessage } from '../../relations/changes.ts'
import { noFacts } from '../../relations/records.ts'
import type { Store } from '../../relations/store.ts'
import type { Known } from '../../relations/views.ts'

/** A contact's facts: the given ones, and no others. */
export function factsWith(facts: Partial<ContactFacts> = {}): ContactFacts {
  return { ...noFacts, ...facts }
}

export function settingsWith(settings: Partial<RosterSettings> = {}): RosterSettings {
  return { audience: 'everyone', autoSync: true, hidesPresence: false, messageAudience: 'everyone', ...settings }
}

/** A change of a roster, as its account commits it. A store does not read the update itself. */
export function rosterChange(
  user: string,
  facts: Record<string, Partial<ContactFacts>>,
  settings: Partial<RosterSettings> = {},
): DocumentsChange {
  const all = Object.entries(facts).map(([other, some]) => [other, factsWith(some)] as const)
  return {
    type: 'documents',
    user,
    registers: true,
    roster: { update: new Uint8Array([0, 0]), facts: new Map(all), settings: settingsWith(settings) },
  }
}

/** The change of a roster that follows these owners. */
export function following(user: string, ...owners: string[]): DocumentsChange {
  return rosterChange(user, Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }])))
}

/** A change of a profile: each level with its one field `name`, or `undefined` for an emptied level. */
export function profileChange(user: string, names: Record<number, string | undefined>): DocumentsChange {
  const levels = Object.entries(names).map(
    ([level, name]) => [Number(level), encodeFields(name === undefined ? {} : { name })] as const,
  )
  return {
    type: 'documents',
    user,
    registers: true,
    profile: { update: new Uint8Array([0, 0]), levels: new Map(levels) },
  }
}

/** The backend's change of a user. */
export function userChange(user: string, change: { restricted?: boolean; announceJoin?: boolean } = {}): Change {
  return { type: 'user', user, ...change }
}

/** Reads the relation of one user to another. */
export async function relationOf(store: Store, user: string, other: string): Promise<Known['relation']> {
  const [view] = (await store.views(user, [other])).views
  if (!view) throw new Error('the store returned no view of the owner that was asked for')
  return view.relation
}

/** Registers users, and removes the events of that. */
export async function registered(store: Store, ...users: string[]): Promise<void> {
  for (const user of users) await store.commit(userChange(user))
  const told = await store.outbox.waiting(undefined, 1_000)
  const removed = told.filter(({ event }) => event.type === 'user.registered').map(({ name }) => name)
  await store.commit({ type: 'events', removed })
}

/** A message that no device received, between the accounts that both users have now. */
export async function undelivered(
  store: Store,
  differing: Partial<UndeliveredMessage> = {},
): Promise<UndeliveredMessage> {
  const { from = 'alice', to = 'bob' } = differing
  const [sender, recipient] = (await store.users([from, to])).map(({ registeredAt }) => registeredAt)
  const accounts = { sender: sender ?? 0, recipient: recipient ?? 0 }
  const message = { id: 'm1', text: 'hello', isAllowed: true, accounts, widest: 'everyone' } as const
  return { type: 'undelivered', from, to, ...message, ...differing }
}
