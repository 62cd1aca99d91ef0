import type { NodeLease } from './node-lease.ts'
import type { NodeTable } from './node-table.ts'

/**
 * Announces immediately what this node has applied, because another node may wait for it. Positions that are reached during an
 * announcement are announced together. A missed announcement is covered by the next renewal of the lease.
 */
export class Applied {
  readonly #table: NodeTable
  readonly #lease: NodeLease
  readonly #position: () => number
  #isSaying = false
  #isOwed = false

  /** `position`: the position that was reported last. */
  constructor(table: NodeTable, lease: NodeLease, position: () => number) {
    this.#table = table
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
      await this.#table.sayApplied(this.#lease.name, this.#position()).catch(() => undefined)
    }
    this.#isSaying = false
  }
}
