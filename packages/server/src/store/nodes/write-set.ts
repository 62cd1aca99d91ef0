import type { Draft } from '../../relations/draft.ts'

/** The names of what a batch writes, with the ranges that it is in: who has read a range has read that something was absent. */
export function* writeSetOf(draft: Draft): Iterable<string> {
  for (const { name, range } of draft.touched()) {
    yield name
    if (range !== undefined) yield range
  }
}
