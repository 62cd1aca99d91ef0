import type { Tables } from './contract.ts'
import type { OutboxRow } from './schema.ts'

/** The outbox in memory. Pending rows never change under their number; refused ones may. */
export class OutboxMemory {
  readonly #rows: Map<number, OutboxRow> = new Map()
  #last = 0
  #isCertain = true

  /** In the order of sending. */
  get rows(): OutboxRow[] {
    return [...this.#rows.values()].sort((a, b) => (a.seq as number) - (b.seq as number))
  }

  get refused(): OutboxRow[] {
    return [...this.#rows.values()].filter(row => row.refusal !== undefined)
  }

  get size(): number {
    return this.#rows.size
  }

  /** Updates memory from the outbox. Call it in a transaction. */
  async follow(db: Tables): Promise<void> {
    if (!this.#isCertain) this.#rows.clear()
    const from = this.#isCertain ? this.#last : 0
    this.#isCertain = true
    for (const row of await db.outbox.where(':id').above(from).toArray()) this.#set(row)
    const refused = this.refused.map(row => row.seq as number)
    if (refused.length > 0) for (const row of await db.outbox.bulkGet(refused)) if (row) this.#set(row)
    if ((await db.outbox.count()) === this.#rows.size) return
    const kept = new Set(await db.outbox.toCollection().primaryKeys())
    for (const seq of [...this.#rows.keys()]) if (!kept.has(seq)) this.#rows.delete(seq)
    if (kept.size === this.#rows.size) return
    // Some entries were inserted before others.
    this.doubt()
    await this.follow(db)
  }

  /** The last update may not have been stored. */
  doubt(): void {
    this.#isCertain = false
  }

  #set(row: OutboxRow): void {
    const seq = row.seq as number
    this.#rows.set(seq, row)
    this.#last = Math.max(this.#last, seq)
  }
}
