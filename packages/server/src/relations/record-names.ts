import type { DocumentName } from './records.ts'

/**
 * Names for read sets and write sets. A change that was derived holds as long as no other writes what it read. A write of a
 * relation also has the name of its range, since a change that read a whole range read that there was no such relation.
 *
 * A user's levels have one name, and so have the ids that a user looked up and the parts of a document: only changes of that
 * user read or write them. Nothing that the derivation reads depends on the log of changed profiles, which has no name.
 *
 * Parts are joined by NUL, which no user id contains.
 */
const join = (...parts: string[]): string => parts.join('\u0000')

export const names = {
  user: (id: string): string => join('user', id),
  /** What of a user's record changes often, and concerns no derivation of another user's change: see `user-news.ts`. */
  userNews: (id: string): string => join('news', id),
  // Made several times for each pair of a change: a template takes half the time of a list.
  relation: (a: string, b: string): string => `relation\u0000${a}\u0000${b}`,
  /** The range of all relations of a user. */
  relations: (a: string): string => join('relations', a),
  levels: (owner: string): string => join('levels', owner),
  asked: (viewer: string): string => join('asked', viewer),
  document: (user: string, document: DocumentName): string => join('document', user, document),
  erasures: (id: string): string => join('erasures', id),
  revocation: (id: string): string => join('revocation', id),
  /** The events of the outbox that are about a user. */
  events: (user: string): string => join('events', user),
} as const

/** The users of a relation, from its name. */
export function pairOf(name: string): { a: string; b: string } {
  const [, a, b] = name.split('\u0000') as [string, string, string]
  return { a, b }
}
