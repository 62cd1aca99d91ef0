import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type LevelDatabase, openLevelDatabase, type Store } from '@kith/server'
import { defaultLimits, type Limits } from '@kith/shared'
import { MemoryLevel } from 'memory-level'
import { onTestFinished } from 'vitest'
import { batchOfEitherKind } from './chained-batch.ts'
import { Incarnations, LevelRecords, openStore, PagedReads, ReadGate, Runs } from './server-internals.ts'

export const dayMs = 86_400_000

export function limitsWith(limits: Partial<Limits> = {}): Limits {
  return { ...defaultLimits, ...limits }
}

/** Creates a folder that is deleted when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A Level database whose next batches can be made to fail. */
export interface FaultyDatabase {
  database: LevelDatabase
  /** Refuses the next `count` batches, and writes nothing of them. */
  failNextBatches(count: number): void
}

export function faulty(inner: LevelDatabase): FaultyDatabase {
  let failures = 0
  const batch = batchOfEitherKind((...args): Promise<void> => {
    if (failures === 0) return (inner.batch as (...args: unknown[]) => Promise<void>)(...args)
    failures--
    return Promise.reject(new Error('the disk is full'))
  })
  const database = new Proxy(inner, {
    get(target, name) {
      if (name === 'batch') return batch
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return {
    database,
    failNextBatches: count => {
      failures = count
    },
  }
}

export type DatabaseKind = 'level' | 'memory'

export async function newDatabase(kind: DatabaseKind): Promise<LevelDatabase> {
  if (kind === 'level') {
    const database = await openLevelDatabase(await temporaryFolder())
    onTestFinished(() => database.close())
    return database
  }
  return new MemoryLevel<string, Uint8Array>({ keyEncoding: 'utf8', valueEncoding: 'view' }) as unknown as LevelDatabase
}

/** A store whose database the test can inspect and break. */
export function storeOver(database: LevelDatabase, clock: Clock, limits: Partial<Limits> = {}, position = 0): Store {
  const incarnations = new Incarnations(new Uint8Array(32).fill(7))
  return openStore({
    ...{ database, clock, incarnations, limits: limitsWith(limits) },
    ...{ runs: Runs.begin(undefined, position), cursorKey: new Uint8Array(32), position },
  })
}

/** Returns the records of a database, as the derivation reads them. */
export function recordsOf(database: LevelDatabase): LevelRecords {
  return new LevelRecords(new PagedReads(database, new ReadGate()))
}
