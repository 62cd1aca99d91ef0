import { isolated } from '../isolation.ts'
import type { Fact } from './facts.ts'

/** The subject of an event; each has its colour. `problem`: something was refused, waits, or cannot be read. */
export type Kind = 'session' | 'roster' | 'profile' | 'feed' | 'barrier' | 'message' | 'keepalive' | 'problem'

/** One event in words. */
export interface Words {
  kind: Kind
  /** One sentence, without a full stop. */
  text: string
  /** Details beyond the sentence, one per line; absent if there are none. */
  detail?: readonly string[]
  /** The content of a change of an own document. */
  facts?: readonly Fact[]
}

export interface Told extends Words {
  /** The size of the frame; 0 for opening and closing. */
  bytes: number
}

/** The device of a connection. */
export interface Who {
  /** Its name in the sentences: "Alice’s laptop". */
  device: string
  user: string
  /** Returns the name of a user; if absent, the user id is shown. */
  nameOf?: (user: string) => string
}

/** The name of a user in the middle of a sentence. */
export function nameOf(who: Who, user: string): string {
  return isolated(who.nameOf?.(user) ?? user)
}

/** "alice’s". */
export function whose(who: Who, user: string): string {
  return `${nameOf(who, user)}’s`
}
