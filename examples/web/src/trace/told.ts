import { isolated } from '../isolation.ts'
import type { Fact } from './facts.ts'

/** What a happening is about; each has its colour. `problem`: something was refused, waits, or can't be read. */
export type Kind = 'session' | 'roster' | 'profile' | 'feed' | 'barrier' | 'message' | 'keepalive' | 'problem'

/** One happening in words. */
export interface Words {
  kind: Kind
  /** One sentence, without a full stop. */
  text: string
  /** What there is to say beyond the sentence, a line each; absent when it says all. */
  detail?: readonly string[]
  /** What a change of an own document says. */
  facts?: readonly Fact[]
}

export interface Told extends Words {
  /** The size of the frame; 0 for opening and closing. */
  bytes: number
}

/** Whose connection it is. */
export interface Who {
  /** As it stands in the sentences: "Alice’s laptop". */
  device: string
  user: string
  /** What to call a user; absent: the user id. */
  nameOf?: (user: string) => string
}

/** What to call a user in the middle of a sentence. */
export function nameOf(who: Who, user: string): string {
  return isolated(who.nameOf?.(user) ?? user)
}

/** "alice’s". */
export function whose(who: Who, user: string): string {
  return `${nameOf(who, user)}’s`
}
