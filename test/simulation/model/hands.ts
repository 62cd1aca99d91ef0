import type { Facts } from './edits.ts'

/**
 * Ids that changed hands [D7], written again with plain sets. What a user gave to an id before its account was erased does not
 * count for the next holder, until the user confirms it, or takes everything back and gives it again.
 */

/** Pairs `giver user`, each with the incarnation of the user that the giver must confirm. */
export type Unconfirmed = ReadonlyMap<string, number>

/** Whether these facts give something to a user: a contact, a grant or a follow. */
export function givesTo(facts: Facts, user: string): boolean {
  return [...facts.keys()].some(name => /^(contact|grant \d+|follow) /.test(name) && name.split(' ').at(-1) === user)
}

/** The account of a user was erased. This ends one incarnation. */
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

/** A roster changed. A giver who no longer gives anything has nothing to confirm. */
export function changed(before: Unconfirmed, giver: string, facts: Facts): Unconfirmed {
  return new Map(
    [...before].filter(([pair]) => {
      const [one, user] = pair.split(' ') as [string, string]
      return one !== giver || givesTo(facts, user)
    }),
  )
}
