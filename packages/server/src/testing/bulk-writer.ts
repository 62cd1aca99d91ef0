import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Limits } from '@kith/shared'
import { Level } from 'level'
import type { Clock } from '../clock.ts'
import { ChangeRetention } from '../store/level/change-retention.ts'
import { compactRange } from '../store/level/compact.ts'
import type { LevelDatabase } from '../store/level/level-database.ts'
import { openLevelDatabase, openLevelStore } from '../store/level/open.ts'
import { PagedReads } from '../store/level/paged-reads.ts'
import { ReadGate } from '../store/level/read-gate.ts'
import { writeSynced } from '../store/level/write-synced.ts'
import { type PackedRecords, unpacked } from './packed-records.ts'

/** The amount that LevelDB collects in memory before it writes a table. */
const writeBufferBytes = 8 * 1024 * 1024
/** The number of bytes that wait until they are written: several tables of each large family. */
const mostWaitingBytes = 96 * 1024 * 1024
const recordsInBatch = 10_000

/** The server's settings that a bulk writer needs. */
export interface BulkWriterOptions {
  limits: Limits
  clock: Clock
}

type BytesDatabase = Level<Uint8Array, Uint8Array>

/**
 * Creates a large data folder for tests and benchmarks from the records that a {@link BulkDerivation} has derived, with few
 * syncs.
 */
export class BulkWriter {
  readonly #folder: string
  readonly #database: BytesDatabase
  readonly #options: BulkWriterOptions
  /** By family. */
  readonly #waiting: Map<string, Uint8Array[]> = new Map()
  #waitingBytes = 0
  #flushes = 0
  #writing: Promise<void> = Promise.resolve()

  private constructor(folder: string, database: BytesDatabase, options: BulkWriterOptions) {
    this.#folder = folder
    this.#database = database
    this.#options = options
  }

  /**
   * Begins a new folder.
   *
   * @param folder - The path of the folder.
   * @param options - Limits and clock of the server that will serve it.
   * @returns Resolves to the writer.
   * @throws Error If the folder is not empty; the error of the disk.
   */
  static async create(folder: string, options: BulkWriterOptions): Promise<BulkWriter> {
    const found = await readdir(folder).catch(() => [])
    if (found.length > 0) throw new Error(`${folder} is not empty`)
    const store = await openLevelStore(folder, options)
    await store.close()
    const database: BytesDatabase = new Level(join(folder, 'store'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: writeBufferBytes,
    })
    await database.open()
    return new BulkWriter(folder, database, options)
  }

  /**
   * Adds the records of a group.
   *
   * @param records - The result of the derivation.
   * @returns Resolves when more can be added. The records may be written together with those of the next groups.
   * @throws The error of the disk.
   */
  async write(records: PackedRecords): Promise<void> {
    for (const [family, bytes] of records) {
      const known = this.#waiting.get(family)
      if (known) known.push(bytes)
      else this.#waiting.set(family, [bytes])
      this.#waitingBytes += bytes.length
    }
    if (this.#waitingBytes >= mostWaitingBytes) await this.#flush()
  }

  /**
   * Finishes the folder. After that, a server can serve it.
   *
   * @param position - The position of the last change.
   * @returns Resolves when everything is on disk.
   * @throws The error of the disk.
   */
  async close(position: number): Promise<void> {
    await this.#flush()
    await this.#writing
    await this.#database.close()
    await this.#mark(position)
    // Records what was acknowledged, and leaves nothing for the first start.
    const store = await openLevelStore(this.#folder, this.#options)
    await store.close()
  }

  /** Writes the position, and the beginning of the day. */
  async #mark(position: number): Promise<void> {
    const database: LevelDatabase = await openLevelDatabase(this.#folder, true)
    const retention = new ChangeRetention(database, new PagedReads(database, new ReadGate()), this.#options.clock)
    const { operations } = await retention.marks(0, position, this.#options.clock.now())
    await writeSynced(database, operations)
    // Otherwise the first servers would be busy with the compaction.
    await compactRange(database)
    await database.close()
  }

  /**
   * Writes family by family, in the order of the groups, so that most tables have keys of one family. Then LevelDB has almost
   * nothing to merge. Every second flush goes backwards, so that no table has keys of both the last family and the first. More
   * records are accepted meanwhile.
   */
  async #flush(): Promise<void> {
    const names = [...this.#waiting.keys()].sort()
    if (this.#flushes++ % 2 === 1) names.reverse()
    const families = names.map(name => this.#waiting.get(name) as Uint8Array[])
    this.#waiting.clear()
    this.#waitingBytes = 0
    await this.#writing
    this.#writing = this.#writeFamilies(families)
    // Awaited by the next flush.
    this.#writing.catch(() => undefined)
  }

  async #writeFamilies(families: readonly (readonly Uint8Array[])[]): Promise<void> {
    for (const groups of families) {
      let batch = this.#database.batch()
      for (const group of groups) {
        for (const [key, value] of unpacked(group)) {
          batch.put(key, value)
          if (batch.length < recordsInBatch) continue
          await batch.write()
          batch = this.#database.batch()
        }
      }
      await batch.write()
    }
  }
}
