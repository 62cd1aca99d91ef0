import type { DeviceDatabase, Tables } from '../database/contract.ts'
import { readMeta } from '../database/meta.ts'
import { OwnDocuments } from '../database/own-documents.ts'
import { repeatedly } from '../database/repeatedly.ts'
import type { OpenStore } from '../database/store.ts'
import { Transactions, type TransactionsPort } from '../database/transactions.ts'
import { Signal } from '../signal.ts'
import { DatabaseLost, isLoss } from './loss.ts'

/**
 * One life of this device's database: from opening until it is closed, deleted, disconnected by the platform, or replaced by
 * another one. Then running work fails, and no new work begins.
 */
export class Device extends Transactions implements OpenStore {
  readonly #writer: string
  readonly #ended: Signal<[]> = new Signal()
  #hasEnded = false

  /** Begins on an open database, and on the documents that were loaded from it. */
  constructor(db: DeviceDatabase, documents: OwnDocuments, port: TransactionsPort) {
    super(db, documents, port)
    this.#writer = documents.writer
    db.onClose(() => this.#end())
    if (!db.isOpen()) this.#end()
  }

  get isOver(): boolean {
    return this.#hasEnded
  }

  use<T>(query: (db: DeviceDatabase) => PromiseLike<T>): Promise<T> {
    return repeatedly(
      () => query(this.db),
      error => this.mayRepeat(error),
    )
  }

  async refresh(): Promise<void> {
    await this.work(async () => undefined)
  }

  onEnd(listener: () => void): () => void {
    if (this.#hasEnded) listener()
    return this.#ended.on(listener)
  }

  /** Resolves to whether the database is open and the one that memory was read from. If not, this life ends. */
  async verify(): Promise<boolean> {
    const identity = await readMeta(this.db, 'identity').catch(() => undefined)
    if (identity?.writer !== this.#writer) this.#end()
    return !this.#hasEnded
  }

  /** Resolves when no work of this life runs any more. */
  async close(): Promise<void> {
    this.#end()
    const closing = this.db.close()
    await this.idle()
    await closing
  }

  protected override async mayRepeat(error: unknown): Promise<boolean> {
    return isLoss(error, this.db) && (await this.verify())
  }

  protected override async load(db: Tables): Promise<OwnDocuments> {
    const documents = await OwnDocuments.load(db)
    if (documents.writer !== this.#writer) throw new DatabaseLost()
    return documents
  }

  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#ended.emit()
  }
}
