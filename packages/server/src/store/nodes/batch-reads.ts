import { names } from '../../relations/record-names.ts'
import type { Records } from '../../relations/record-store.ts'
import { RecordedReads } from '../../relations/recorded-reads.ts'
import type { UserRecord } from '../../relations/records.ts'

/**
 * The reads for one batch. Other users' news do not affect a change that is derived beside the queue: it takes so long that
 * some news would be written in any case. When the change is written, they stay as they are stored.
 */
export class BatchReads extends RecordedReads {
  readonly #subjects: ReadonlySet<string> | undefined

  /** `subjects`: the users whose change it is, if it is derived beside the queue. */
  constructor(records: Records, subjects: ReadonlySet<string> | undefined) {
    super(records)
    this.#subjects = subjects
  }

  override users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    for (const id of ids) if (this.#subjects?.has(id) ?? true) this.read.add(names.userNews(id))
    return super.users(ids)
  }
}
