import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type LevelDatabase, openLevelDatabase, type Store } from '@kith/server'
import { type ContactFacts, defaultLimits, type Limits, type RosterSettings } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { MemoryLevel } from 'memory-level'
import { onTestFinished } from 'vitest'
import { Incarnations } from '../../packages/server/src/relations/incarnations.ts'
import { noFacts } from '../../packages/server/src/relations/records.ts'
import type { Change, DocumentsChange, Known } from '../../packages/server/src/relations/store.ts'
import { openStore } from '../../packages/server/src/store/level-store.ts'
import { Runs } from '../../packages/server/src/store/runs.ts'

export const dayMs = 86_400_000

/** A clock that stands still until a test moves it. Its timers never fire. */
export interface StillClock extends Clock {
  pass(ms: number): void
}

export function stillClock(startMs = Date.UTC(2026, 0, 1, 12)): StillClock {
  let nowMs = startMs
  const never = (): (() => void) => () => undefined
  return {
    now: () => nowMs,
    after: never,
    every: never,
    pass: ms => {
      nowMs += ms
    },
  }
}

export function limitsWith(limits: Partial<Limits> = {}): Limits {
  return { ...defaultLimits, ...limits }
}

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A Level database whose next batches can be made to fail. */
export interface FaultyDatabase {
  database: LevelDatabase
  /** The next `count` batches are refused; nothing of them is written. */
  failNextBatches(count: number): void
}

export function faulty(inner: LevelDatabase): FaultyDatabase {
  let failures = 0
  const batch = (...args: unknown[]): Promise<void> => {
    if (failures === 0) return (inner.batch as (...args: unknown[]) => Promise<void>)(...args)
    failures--
    return Promise.reject(new Error('the disk is full'))
  }
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

/** A store whose database the test can look into, and break. */
export function storeOver(database: LevelDatabase, clock: Clock, limits: Partial<Limits> = {}, position = 0): Store {
  const incarnations = new Incarnations(new Uint8Array(32).fill(7))
  return openStore({
    ...{ database, clock, incarnations, limits: limitsWith(limits) },
    ...{ runs: Runs.begin(undefined, position), cursorKey: new Uint8Array(32), position },
  })
}

export function factsWith(facts: Partial<ContactFacts> = {}): ContactFacts {
  return { ...noFacts, ...facts }
}

/** A roster's change, as its account commits it. The update itself is nobody's matter here. */
export function rosterChange(
  user: string,
  facts: Record<string, Partial<ContactFacts>>,
  settings: Partial<RosterSettings> = {},
): DocumentsChange {
  return {
    type: 'documents',
    user,
    registers: true,
    roster: {
      update: new Uint8Array([0, 0]),
      facts: new Map(Object.entries(facts).map(([other, some]) => [other, factsWith(some)])),
      settings: {
        audience: 'everyone',
        autoSync: true,
        hidesPresence: false,
        messageAudience: 'everyone',
        ...settings,
      },
    },
  }
}

/** A profile's change: each level with its one field, `undefined` for an emptied level. */
export function profileChange(user: string, names: Record<number, string | undefined>): DocumentsChange {
  const levels = Object.entries(names).map(
    ([level, name]) => [Number(level), encodeFields(name === undefined ? {} : { name })] as const,
  )
  return {
    type: 'documents',
    user,
    registers: true,
    profile: { update: new Uint8Array([0, 0]), levels: new Map(levels) },
  }
}

export function userChange(user: string, change: { restricted?: boolean; announceJoin?: boolean } = {}): Change {
  return { type: 'user', user, ...change }
}

/** What one user's relation to another is, in the store. */
export async function relationOf(store: Store, user: string, other: string): Promise<Known['relation']> {
  const [view] = await store.views(user, [other])
  if (!view) throw new Error('a view was asked for')
  return view.relation
}
