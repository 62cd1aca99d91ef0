import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Limits } from '@kith/shared'
import { Level } from 'level'
import { MemoryLevel } from 'memory-level'
import type { Clock } from '../../clock.ts'
import { descriptorShares } from '../../descriptors.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import type { Store } from '../../relations/store.ts'
import { causeOf } from '../../relations/unwritable.ts'
import { expectRestored } from './backup/restoring.ts'
import { Acknowledged, readAcknowledged } from './files/acknowledged.ts'
import { findDamage, type Reliance } from './files/damage.ts'
import type { Damage } from './files/log-damage.ts'
import { VerifiedTables } from './files/verified-tables.ts'
import { DataFolderError } from './folder-error.ts'
import { formatRecords, hasEvents, minReaderRecord, readFormat } from './format/format-records.ts'
import { type Format, outboxFormat, presentFormat } from './format/formats.ts'
import type { MigrationProgress } from './format/migrate.ts'
import { expectReadable, prepareDatabase } from './format/prepare.ts'
import { keys } from './keys.ts'
import type { LevelDatabase } from './level-database.ts'
import { openStore } from './level-store.ts'
import type { Operation } from './operations.ts'
import { decodeNumber, encodeNumber } from './record-codec.ts'
import { findRoom, removeProbe } from './room.ts'
import { Runs } from './runs.ts'
import { type CommitSizes, commitSizes } from './sizes.ts'

/** Files of the data folder differ from what was written there, so the folder is not served. */
export class DamagedFolderError extends DataFolderError {
  readonly damages: readonly Damage[]

  constructor(folder: string, damages: readonly Damage[]) {
    const [first] = damages.map(({ file, what }) => `${join(folder, file)} ${what}`)
    const others = damages.length > 1 ? `, and ${damages.length - 1} more` : ''
    super(
      `${folder} is damaged, and is not served: ${first}${others}. What is lost, and what to do, says: check --data ${folder}`,
    )
    this.damages = damages
  }
}

/** The options of a store. */
export interface StoreOptions {
  limits: Limits
  clock: Clock
  /** Which events are written to the outbox. Without it, none are. */
  room?: EventRoom | undefined
  /** Called with the number of records of an earlier version of Kith that have been migrated to the format of this one. */
  onMigration?: MigrationProgress | undefined
}

interface DiskOptions extends StoreOptions {
  /** Rejects while the disk has no room. */
  findRoom?: (() => Promise<void>) | undefined
  sizes?: CommitSizes
}

/**
 * Opens or creates the LevelDB in a data folder. Throws {@link DataFolderError}.
 *
 * @param folder - The path of the folder.
 * @param options - Limits and clock.
 * @returns Resolves to the store, when it is open.
 * @throws DataFolderError If the folder is damaged, in use, of another version, or cannot be written. The message says what to
 *   do.
 */
export async function openLevelStore(folder: string, options: StoreOptions): Promise<Store> {
  const verified = await VerifiedTables.read(folder)
  const reliance = { verified, nowMs: options.clock.now() }
  const database = await openWhole(folder, false, options.onMigration, reliance)
  // If the record cannot be written, the next start verifies the tables again.
  await verified.write().catch(() => undefined)
  try {
    await removeProbe(folder)
    const store = await storeOn(database, { ...options, findRoom: () => findRoom(folder) })
    return witnessed(store, new Acknowledged(folder, store.position))
  } catch (error) {
    await database.close()
    throw new DataFolderError(explain(folder, error), { cause: error })
  }
}

/** The witness is the first listener, so it is never behind what was acknowledged to a device. */
function witnessed(store: Store, acknowledged: Acknowledged): Store {
  store.onCommit({ committed: commits => acknowledged.write(commits.at(-1)?.position ?? store.position) })
  const close = store.close.bind(store)
  return Object.assign(store, {
    async close() {
      try {
        await close()
      } finally {
        acknowledged.close()
      }
    },
  })
}

/**
 * Opens a store in memory, for tests. It is lost when it is closed. The code is the same, on another Level.
 *
 * @param options - Limits and clock.
 * @returns Resolves to the store, when it is open. Never rejects.
 */
export async function openMemoryStore(options: StoreOptions): Promise<Store> {
  const database = new MemoryLevel<string, Uint8Array>({ keyEncoding: 'utf8', valueEncoding: 'view' })
  return storeOn(database as unknown as LevelDatabase, options)
}

/**
 * Opens the database of a data folder, for the commands that process all of it. Every byte is verified first. A folder of an
 * earlier version of Kith is migrated. Throws {@link DataFolderError}.
 *
 * @param folder - The path of the folder.
 * @param mustExist - Whether a folder without a database is an error.
 * @param onMigration - Called with the progress of a migration.
 * @returns Resolves to the database, which the caller closes.
 * @throws DataFolderError As `openLevelStore` does.
 */
export async function openLevelDatabase(
  folder: string,
  mustExist = false,
  onMigration?: MigrationProgress,
): Promise<LevelDatabase> {
  return openWhole(folder, mustExist, onMigration, undefined)
}

async function openWhole(
  folder: string,
  mustExist: boolean,
  onMigration: MigrationProgress | undefined,
  reliance: Reliance | undefined,
): Promise<LevelDatabase> {
  await expectRestored(folder)
  const path = join(folder, 'store')
  const damages = await orExplain(folder, async () => {
    if (!mustExist) await mkdir(path, { recursive: true, mode: 0o700 })
    await expectUnused(path)
    return findDamage(folder, reliance)
  })
  if (damages.length > 0) throw new DamagedFolderError(folder, damages)
  // Constructed only now, because it opens automatically.
  const database = new Level<string, Uint8Array>(path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    createIfMissing: !mustExist,
    maxOpenFiles: descriptorShares().databaseFiles,
  })
  await orExplain(folder, () => database.open())
  try {
    const opened = database as unknown as LevelDatabase
    const found = await readFormat(opened)
    if (!found && mustExist) {
      throw new DataFolderError(`${folder} holds no data of Kith: give the right folder with --data`)
    }
    expectReadable(folder, found, presentFormat.number)
    await expectWhole(folder, opened)
    await prepareDatabase(opened, folder, { onProgress: onMigration })
    return opened
  } catch (error) {
    await database.close()
    if (error instanceof DataFolderError) throw error
    throw new DataFolderError(explain(folder, error), { cause: error })
  }
}

/** Rejects if acknowledged changes are missing. */
async function expectWhole(folder: string, database: LevelDatabase): Promise<void> {
  const stored = await database.get(keys.position)
  const position = stored ? decodeNumber(stored) : 0
  const acknowledged = readAcknowledged(folder)
  if (typeof acknowledged === 'number' && acknowledged > position) {
    const lost = `the changes ${position + 1} to ${acknowledged}, which had been answered`
    throw new DamagedFolderError(folder, [{ file: 'store', what: `ends at change ${position}`, lost }])
  }
}

async function orExplain<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new DataFolderError(explain(folder, error), { cause: error })
  }
}

/**
 * Rejects if another process has the database open, because its files would change during the checks. Does not touch the files.
 */
async function expectUnused(path: string): Promise<void> {
  try {
    // LevelDB takes the lock before it finds out that it may neither create this database nor open an existing one.
    await new Level(path, { createIfMissing: false, errorIfExists: true }).open()
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === 'LEVEL_LOCKED') throw error
  }
}

/** A store on an open database that is empty or in our format. */
export async function storeOn(database: LevelDatabase, options: DiskOptions): Promise<Store> {
  const { limits, clock, findRoom, sizes = commitSizes, room } = options
  const found = await prepareDatabase(database, 'the database')
  const [runs, stored, known, key] = await database.getMany([keys.runs, keys.position, keys.identity, keys.cursorKey])
  const position = stored ? decodeNumber(stored) : 0
  const history = Runs.begin(runs, position)
  const identity = known ?? Incarnations.newIdentity()
  const cursorKey = key ?? randomBytes(32)
  const operations: Operation[] = [
    { type: 'put', key: keys.runs, value: history.encode() },
    { type: 'put', key: keys.identity, value: identity },
    { type: 'put', key: keys.cursorKey, value: cursorKey },
  ]
  if (found === undefined) {
    operations.push(...formatRecords(presentFormat), { type: 'put', key: keys.position, value: encodeNumber(0) })
  }
  const number = (await readFormat(database))?.number ?? presentFormat.number
  const folder = { number, minReader: found ?? presentFormat.minReader }
  const minReader = await minReaderFor(database, folder, room !== undefined)
  if (minReader !== found) operations.push(minReaderRecord(minReader))
  await database.batch(operations, { sync: true } as object)
  const incarnations = new Incarnations(identity)
  return openStore({
    database,
    runs: history,
    incarnations,
    cursorKey,
    position,
    limits,
    clock,
    findRoom,
    sizes,
    room,
    minReader,
  })
}

/**
 * Versions without an outbox may not open the folder while events are written or wait there, because an account that they erase
 * would stay in the outbox. Afterwards they may open it again, unless a later format has the same `minReader` for a reason that
 * this version does not know.
 */
async function minReaderFor(database: LevelDatabase, folder: Format, writesEvents: boolean): Promise<number> {
  const { number, minReader } = folder
  if (writesEvents || (await hasEvents(database))) return Math.max(minReader, outboxFormat)
  return minReader === outboxFormat && number <= presentFormat.number ? presentFormat.minReader : minReader
}

function explain(folder: string, error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  if (cause?.code === 'LEVEL_LOCKED') {
    return `${folder} is in use by another process: stop that server first, or give another folder with --data`
  }
  const detail = cause?.message ?? (error instanceof Error ? error.message : String(error))
  const known = causeOf(error)
  if (known) return `${folder} can't be used, since ${known.reason} (${detail}): ${known.advice}`
  if (/does not exist|No such file/.test(detail))
    return `${folder} holds no data of Kith: give the right folder with --data`
  return `${folder} can't be opened (${detail}): check that it is a folder of Kith's, readable and writable, with free space`
}
