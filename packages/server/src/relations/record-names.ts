import type { DocumentName } from './records.ts'

/**
 * Names for read sets and write sets. A derived change is valid as long as no other change writes what it read. A write of a
 * relation also has the name of its range, because a change that read a whole range relied on the absence of the relation.
 *
 * A user's levels have one name, and so have the ids that a user looked up and the parts of a document: only changes of that
 * user read or write them. The log of changed profiles has no name, because nothing that the derivation reads depends on it.
 *
 * Parts are joined by NUL, which no user id contains.
 */
const join = (...parts: string[]): string => parts.join('\u0000')

export const names = {
  user: (id: string): string => join('user', id),
  /**
   * The part of a user's record that changes often, and that no derivation of another user's change uses: see `user-news.ts`.
   */
  userNews: (id: string): string => join('news', id),
  // This runs several times for each pair of a change. A template takes half the time of a list.
  relation: (a: string, b: string): string => `relation\u0000${a}\u0000${b}`,
  /** The range of all relations of a user. */
  relations: (a: string): string => join('relations', a),
  levels: (owner: string): string => join('levels', owner),
  asked: (viewer: string): string => join('asked', viewer),
  document: (user: string, document: DocumentName): string => join('document', user, document),
  erasures: (id: string): string => join('erasures', id),
  revocation: (id: string): string => join('revocation', id),
  /** The events of the outbox that concern a user. */
  events: (user: string): string => join('events', user),
} as const

/** The users of a relation, from its name. */
export function pairOf(name: string): { a: string; b: string } {
  const [, a, b] = name.split('\u0000') as [string, string, string]
  return { a, b }
}
