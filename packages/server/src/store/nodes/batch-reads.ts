import { names } from '../../relations/record-names.ts'
import type { Records } from '../../relations/record-store.ts'
import { RecordedReads } from '../../relations/recorded-reads.ts'
import type { UserRecord } from '../../relations/records.ts'

/**
 * What is read for one batch. The news of other users do not concern a change that is derived beside the queue, which takes so
 * long that some of them would be written in any case; they stay as they are stored when it is written.
 */
export class BatchReads extends RecordedReads {
  readonly #subjects: ReadonlySet<string> | undefined

  /** `subjects`: whose change it is, if it is derived beside the queue. */
  constructor(records: Records, subjects: ReadonlySet<string> | undefined) {
    super(records)
    this.#subjects = subjects
  }

  override users(ids: readonly string[]): Promise<Readonly<UserRecord>[]> {
    for (const id of ids) if (this.#subjects?.has(id) ?? true) this.read.add(names.userNews(id))
    return super.users(ids)
  }
}
