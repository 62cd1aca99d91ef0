import type { Draft } from '../../relations/draft.ts'
import { names } from '../../relations/record-names.ts'

/** The names of what a batch writes, with their ranges: a reader of a range relied on the absence of records in it. */
export function* writeSetOf(draft: Draft): Iterable<string> {
  for (const { name, range, user } of draft.touched()) {
    yield user?.isNews ? names.userNews(user.id) : name
    if (range !== undefined) yield range
  }
}
