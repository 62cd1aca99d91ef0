import type { Draft } from '../../relations/draft.ts'
import { names } from '../../relations/record-names.ts'

/** The names of what a batch writes, with the ranges that it is in: who has read a range has read that something was absent. */
export function* writeSetOf(draft: Draft): Iterable<string> {
  for (const { name, range, user } of draft.touched()) {
    yield user?.isNews ? names.userNews(user.id) : name
    if (range !== undefined) yield range
  }
}
