import type { Facts } from './edits.ts'

/**
 * Ids that changed hands [D7], said once more with plain sets: what somebody gave to an id before its account was erased does
 * not count for the next holder, until it is confirmed, or all taken back and given again.
 */

/** Pairs `giver user`, each with the incarnation of the user that the giver is to confirm. */
export type Unconfirmed = ReadonlyMap<string, number>

/** Whether these facts give something to a user: a contact, a grant or a follow. */
export function givesTo(facts: Facts, user: string): boolean {
  return [...facts.keys()].some(name => /^(contact|grant \d+|follow) /.test(name) && name.split(' ').at(-1) === user)
}

/** The account of a user was erased, which ends one incarnation. */
export function erased(
  before: Unconfirmed,
  factsByUser: ReadonlyMap<string, Facts>,
  user: string,
  incarnation: number,
): Unconfirmed {
  const after = new Map([...before].filter(([pair]) => pair.split(' ')[0] !== user))
  for (const [giver, facts] of factsByUser) {
    if (giver !== user && givesTo(facts, user)) after.set(`${giver} ${user}`, incarnation)
  }
  return after
}

/** A roster changed: who gives nothing any more has nothing to confirm. */
export function changed(before: Unconfirmed, giver: string, facts: Facts): Unconfirmed {
  return new Map(
    [...before].filter(([pair]) => {
      const [one, user] = pair.split(' ') as [string, string]
      return one !== giver || givesTo(facts, user)
    }),
  )
}
