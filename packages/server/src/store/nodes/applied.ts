import type { NodeLease } from './node-lease.ts'
import type { NodeTable } from './node-table.ts'

/**
 * Says at once what this node has applied, since another node may wait for it: several positions while one is said are one. What
 * is missed comes with the next renewal of the lease.
 */
export class Applied {
  readonly #table: NodeTable
  readonly #lease: NodeLease
  readonly #position: () => number
  #isSaying = false
  #isOwed = false

  /** `position`: the one that was reported last. */
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
