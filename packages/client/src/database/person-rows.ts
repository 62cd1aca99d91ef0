import { type ContactFacts, contactFacts, type FlatMaps, isUnconfirmed, namedUsers } from '@kith/shared'
import type { Hands, PersonRow, ReplicaRow } from './schema.ts'

/** The rows as derived from the roster alone. */
export function rowsOf(roster: FlatMaps, hands: ReadonlyMap<string, Hands>): PersonRow[] {
  return [...contactFacts(roster, namedUsers(roster))].map(([id, facts]) => ({
    ...stranger(id),
    ...factColumns(facts),
    label: (roster.get('labels', id) ?? '') as string,
    hasChangedHands: isUnconfirmed(facts, hands.get(id)?.incarnation ?? ''),
  }))
}

type FactColumns = 'levels' | 'isContact' | 'isSubscribed' | 'isDeclined' | 'isBlocked' | 'isListed'

/** The columns of a row that come from the roster. */
export function factColumns(facts: ContactFacts): Pick<PersonRow, FactColumns> {
  const isContact = facts.isContact || facts.levels.length > 0
  const { isSubscribed, isDeclined, isBlocked } = facts
  const isListed = isContact || isSubscribed || isBlocked ? 1 : 0
  return { levels: [...facts.levels], isContact, isSubscribed, isDeclined, isBlocked, isListed }
}

/** Whether a replica contains anything. */
export function isWorthKeeping(replica: ReplicaRow): boolean {
  return replica.levels.length > 0 || replica.hidden.length > 0 || replica.access.length > 0 || replica.isFetched === 1
}

export function noReplica(owner: string): ReplicaRow {
  return { owner, access: [], levels: [], hidden: [], isFetched: 0 }
}

/** The row of a user of whom this device has no data. */
export function stranger(id: string): PersonRow {
  const no = { isContact: false, isSubscribed: false, isDeclined: false, isBlocked: false }
  const news = { hasJoined: false, isWaiting: false, hasChangedHands: false }
  return { id, label: '', fields: {}, levels: [], ...no, ...news, isListed: 0 }
}
