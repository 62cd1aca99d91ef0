import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Limits } from '@kith/shared'
import { Level } from 'level'
import type { Clock } from '../clock.ts'
import type { Change } from '../relations/changes.ts'
import { derive } from '../relations/derive.ts'
import { Draft } from '../relations/draft.ts'
import { Incarnations } from '../relations/incarnations.ts'
import { preload } from '../relations/preload.ts'
import type { UserRecord } from '../relations/records.ts'
import { newNotes } from '../store/commit-notes.ts'
import { ChangeRetention } from '../store/level/change-retention.ts'
import { encode } from '../store/level/encode.ts'
import { keys, partsOf } from '../store/level/keys.ts'
import type { LevelDatabase } from '../store/level/level-database.ts'
import { openLevelStore } from '../store/level/open.ts'
import type { Operation } from '../store/level/operations.ts'
import { PagedReads } from '../store/level/paged-reads.ts'
import { ReadGate } from '../store/level/read-gate.ts'
import { BulkRecords } from './bulk-records.ts'

/** As much as LevelDB gathers in memory before it writes a table. */
const writeBufferBytes = 8 * 1024 * 1024
/** As many operations wait until they are written: several tables of each large family. */
const mostWaiting = 1_000_000
const operationsInBatch = 10_000

/** What a bulk writer needs of a server's settings. */
export interface BulkWriterOptions {
  /** The limits of the server that will serve the folder. */
  limits: Limits
  /** The time of all changes. */
  clock: Clock
}

/**
 * Makes a large data folder for tests and benchmarks: a thousand times as fast as devices would, with the same records.
 *
 * Each change is derived by the server's own derivation, and gets a position as its commit would. What is left out is what
 * makes a server slow: the sync after each batch, and reads of the disk. So users come in *groups*, and a change names nobody
 * of the groups before, except those who are kept.
 */
export class BulkWriter {
  readonly #folder: string
  readonly #database: LevelDatabase
  readonly #incarnations: Incarnations
  readonly #options: BulkWriterOptions
  readonly #kept: Map<string, Readonly<UserRecord>> = new Map()
  readonly #over: Set<string> = new Set()
  #draft: Draft
  #position = 0
  /** By family. */
  readonly #waiting: Map<string, Operation[]> = new Map()
  #waitingCount = 0
  #flushes = 0
  #writing: Promise<void> = Promise.resolve()

  private constructor(folder: string, database: LevelDatabase, identity: Uint8Array, options: BulkWriterOptions) {
    this.#folder = folder
    this.#database = database
    this.#incarnations = new Incarnations(identity)
    this.#options = options
    this.#draft = this.#newDraft()
  }

  /**
   * Begins a new folder. Rejects if it holds anything.
   *
   * @param folder - The path of the folder.
   * @param options - Limits and clock.
   * @returns Resolves to the writer.
   * @throws Error If the folder is not empty; the error of the disk.
   */
  static async create(folder: string, options: BulkWriterOptions): Promise<BulkWriter> {
    const found = await readdir(folder).catch(() => [])
    if (found.length > 0) throw new Error(`${folder} is not empty`)
    const store = await openLevelStore(folder, options)
    await store.close()
    const database = new Level<string, Uint8Array>(join(folder, 'store'), {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      writeBufferSize: writeBufferBytes,
    }) as unknown as LevelDatabase
    await database.open()
    const identity = await database.get(keys.identity)
    if (!identity) throw new Error(`${folder} has no identity`)
    return new BulkWriter(folder, database, identity, options)
  }

  /** The position of the last change. */
  get position(): number {
    return this.#position
  }

  /**
   * Derives a change. It counts when the group has ended.
   *
   * @param change - What a server would commit.
   * @returns Resolves when it is derived.
   * @throws Error If it concerns a user of an earlier group who is not kept.
   */
  async commit(change: Change): Promise<void> {
    this.#position++
    await preload(this.#draft, [change])
    await derive(this.#draft, newNotes(this.#position, change), change, this.#options.limits)
  }

  /**
   * Ends a group of users.
   *
   * @param keeps - Users of this group whom changes of later groups name, all of them registered.
   * @returns Resolves when the group is in LevelDB, or will be with one of the next ones.
   * @throws The error of the disk.
   */
  async endGroup(keeps: readonly string[] = []): Promise<void> {
    const draft = this.#draft
    for (const operation of await encode(this.#records(), draft)) {
      // A new store has nothing to delete.
      if (operation.type === 'del') continue
      const [family = '', id = ''] = partsOf(operation.key)
      this.#wait(family, operation)
      if (family !== 'user') continue
      if (keeps.includes(id) || this.#kept.has(id)) this.#kept.set(id, draft.user(id))
      else this.#over.add(id)
    }
    this.#draft = this.#newDraft()
    if (this.#waitingCount >= mostWaiting) await this.#flush()
  }

  /**
   * Ends the folder: from here on a server can serve it.
   *
   * @returns Resolves when all is on the disk.
   * @throws The error of the disk.
   */
  async close(): Promise<void> {
    await this.endGroup()
    await this.#flush()
    await this.#writing
    const disk = new PagedReads(this.#database, new ReadGate())
    const retention = new ChangeRetention(this.#database, disk, this.#options.clock)
    const { operations } = await retention.marks(0, this.#position, this.#options.clock.now())
    await write(this.#database, operations, true)
    await this.#database.close()
    // So that what was answered is noted, and nothing is left for the first start.
    const store = await openLevelStore(this.#folder, this.#options)
    await store.close()
  }

  #newDraft(): Draft {
    return new Draft(this.#records(), this.#options.clock.now(), this.#incarnations)
  }

  #records(): BulkRecords {
    return new BulkRecords(this.#kept, this.#over)
  }

  #wait(family: string, operation: Operation): void {
    const known = this.#waiting.get(family)
    if (known) known.push(operation)
    else this.#waiting.set(family, [operation])
    this.#waitingCount++
  }

  /**
   * Writes family by family, so that most tables have keys of one family, in the order of the groups: LevelDB then has next to
   * nothing to merge. Every other time backwards, so that no table has keys of the last family and the first. The next groups
   * are derived meanwhile.
   */
  async #flush(): Promise<void> {
    const names = [...this.#waiting.keys()].sort()
    if (this.#flushes++ % 2 === 1) names.reverse()
    const families = names.map(name => this.#waiting.get(name) as Operation[])
    this.#waiting.clear()
    this.#waitingCount = 0
    await this.#writing
    this.#writing = this.#writeFamilies(families)
    // Awaited by the next flush.
    this.#writing.catch(() => undefined)
  }

  async #writeFamilies(families: readonly (readonly Operation[])[]): Promise<void> {
    for (const operations of families) {
      for (let start = 0; start < operations.length; start += operationsInBatch) {
        await write(this.#database, operations.slice(start, start + operationsInBatch), false)
      }
    }
  }
}

async function write(database: LevelDatabase, operations: readonly Operation[], sync: boolean): Promise<void> {
  const batch = database.batch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  await batch.write({ sync } as object)
}
