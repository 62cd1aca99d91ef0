import type { Database } from './database.ts'
import type { NodeLease } from './lease.ts'

/** What a notification says of a position that was applied. */
export const appliedNotice = 'applied'

/**
 * Says at once what this node has applied, since another node may wait for it: several positions while one is said are one. What
 * is missed comes with the next renewal of the lease. No standby needs to confirm it: an earlier position is true as well.
 */
export class Applied {
  readonly #database: Database
  readonly #lease: NodeLease
  readonly #position: () => number
  #isSaying = false
  #isOwed = false

  /** `position`: the one that was reported last. */
  constructor(database: Database, lease: NodeLease, position: () => number) {
    this.#database = database
    this.#lease = lease
    this.#position = position
  }

  say(): void {
    this.#isOwed = true
    if (!this.#isSaying) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isSaying = true
    while (this.#isOwed) {
      this.#isOwed = false
      await this.#write().catch(() => undefined)
    }
    this.#isSaying = false
  }

  async #write(): Promise<void> {
    const { id, key } = this.#lease.name
    // Numbers and a UUID of this node: several statements of one question take no parameters.
    await this.#database.with(client =>
      client.query(`begin; set local synchronous_commit = off;
        update node set applied = greatest(applied, ${this.#position()}) where id = ${id} and key = '${key}';
        select pg_notify('kith_' || current_schema(), '${appliedNotice}'); commit`),
    )
  }
}
