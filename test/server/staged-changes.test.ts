import { setImmediate as turn } from 'node:timers/promises'
import { type Change, check, type LevelDatabase, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { applyChanges, type KeyChange } from '@kith/shared'
import fc from 'fast-check'
import { MemoryLevel } from 'memory-level'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Disk } from '../simulation/world/disk.ts'
import { Seeded } from '../simulation/world/seeded.ts'
import { ChainedBatch } from '../support/chained-batch.ts'
import { mergeContext } from '../support/merge-context.ts'
import { holdsAsync } from '../support/properties.ts'
import {
  atOnce,
  byteOrdered,
  type CommitSizes,
  keyOf,
  keys,
  mergeUpdates,
  rosterChange,
  Slice,
  StoredDocument,
  storeOn,
  userChange,
} from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

/** With these sizes, a change of a few contacts is treated as one of thousands usually is. */
const sizes: CommitSizes = { recordsInQueue: 6, recordsOfMedium: 8, operationsInBatch: 8, operationsInSlice: 3 }
/**
 * A name with 2-byte characters sorts among names with 1-byte characters, and a name with 4-byte characters after all of them.
 */
const contacts = ['ada', 'bo', 'cé', 'dan', 'eve', 'ﬁn', '😀']

/** The first change of a roster, as the account would commit it. `check` finds the derived records in it. */
function roster(user: string, changes: readonly KeyChange[]): Change {
  const device = new Y.Doc()
  applyChanges(device, changes)
  const stored = new StoredDocument('roster', [])
  const { roster, profile } = atOnce(
    mergeUpdates('roster', stored, [Y.encodeStateAsUpdate(device)], limitsWith(), mergeContext),
  )
  return { type: 'documents', user, registers: true, roster, profile }
}

function large(user: string): Change {
  const granted = contacts.map(id => ({ root: 'grants' as const, key: `1/${id}`, value: true }))
  return roster(user, [...contacts.map(id => ({ root: 'contacts' as const, key: id, value: true })), ...granted])
}

function blocking(user: string, whom: string): Change {
  return roster(user, [{ root: 'blocks', key: `aaaaaaaa/${whom}`, value: true }])
}

type Step =
  | { do: 'large'; user: number }
  | { do: 'block'; contact: number; user: number }
  | { do: 'restrict'; contact: number; isRestricted: boolean }
  | { do: 'read'; contact: number; user: number }
  | { do: 'disk'; answers: number[] }
  | { do: 'kill' | 'fail' | 'lose answer' | 'stay closed' | 'probe' }

const index = (): fc.Arbitrary<number> => fc.nat({ max: contacts.length - 1 })
const user = (): fc.Arbitrary<number> => fc.nat({ max: 2 })
const steps = (): fc.Arbitrary<Step[]> => {
  const acts = fc.oneof(
    fc.record({ do: fc.constant('large' as const), user: user() }),
    fc.record({ do: fc.constant('block' as const), contact: index(), user: user() }),
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('restrict' as const), contact: index(), isRestricted: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), contact: index(), user: user() }) },
  )
  const probe = fc.record({ do: fc.constant('probe' as const) })
  const answers = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 12 })
  const time = fc.record({ do: fc.constant('disk' as const), answers })
  const faults = fc.oneof(
    fc.record({ do: fc.constantFrom('fail' as const, 'lose answer' as const, 'stay closed' as const) }),
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('kill' as const) }),
    },
  )
  const some = fc.oneof(
    { weight: 8, arbitrary: acts },
    { weight: 14, arbitrary: time },
    { weight: 1, arbitrary: faults },
    { weight: 1, arbitrary: probe },
  )
  return fc.array<Step>(some, { minLength: 20, maxLength: 150, size: 'max' })
}

/** A server on a disk that is slow, fails, and loses power. */
class Server {
  readonly clock = new TestClock()
  readonly disk: Disk
  store: Store | undefined
  /** The position at which the large change of each user was committed, once its commit was answered. */
  readonly answered = new Map<string, number>()
  readonly #begun = new Set<string>()
  /** Whether contacts are restricted, as far as that is known. */
  readonly #restricted = new Map<string, boolean>()
  readonly #attempted = new Set<string>()
  readonly #reads: { name: string; at: number; isThere: boolean }[] = []
  readonly wrong: string[] = []
  /** How many of the next attempts to reopen the database fail. */
  #closed = 0

  constructor(seed: number) {
    this.disk = new Disk(new Seeded(seed), { opened: () => undefined, written: () => undefined })
  }

  /** Work that continues after the start waits for the responses of a slow disk. */
  async start(): Promise<void> {
    this.disk.isSlow = false
    this.#closed = 0
    this.store = await storeOn(this.#database(), { limits: limitsWith(), clock: this.clock, sizes })
    this.disk.isSlow = true
  }

  #database(): LevelDatabase {
    const open = async (): Promise<void> => {
      if (this.#closed === 0) return
      this.#closed--
      throw new Error('the disk is full')
    }
    return new Proxy(this.disk.mount(), {
      get: (target, name) => (name === 'open' ? open : Reflect.get(target, name, target)),
    })
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'large':
        return this.#large(`user ${step.user}`)
      case 'block':
        return this.#once(`block ${step.contact}`, blocking(contacts[step.contact] as string, `user ${step.user}`))
      case 'restrict':
        return this.#restrict(contacts[step.contact] as string, step.isRestricted)
      case 'read':
        return void this.#read(contacts[step.contact] as string, `user ${step.user}`)
      case 'disk':
        for (const index of step.answers) {
          this.disk.step(index % Math.max(1, this.disk.waiting))
          for (let turns = 0; turns < 3; turns++) await turn()
        }
        return
      case 'kill':
        this.disk.powerOff()
        return this.start()
      case 'fail':
        return this.disk.failNextWrite('refused')
      case 'lose answer':
        return this.disk.failNextWrite('written all the same')
      case 'stay closed':
        this.#closed++
        return this.disk.failNextWrite('written all the same')
      case 'probe':
        return this.clock.move(1_000)
    }
  }

  #large(name: string): void {
    if (this.#begun.has(name)) return
    this.#begun.add(name)
    this.store?.commit(large(name)).then(
      ({ position }) => this.answered.set(name, position),
      () => undefined,
    )
  }

  /** Makes one attempt after the other, so that the last answered attempt counts. A refused change may be on the disk. */
  #restrict(name: string, isRestricted: boolean): void {
    if (this.#attempted.has(name)) return
    this.#attempted.add(name)
    this.#restricted.delete(name)
    this.store?.commit(userChange(name, { restricted: isRestricted })).then(
      () => {
        this.#restricted.set(name, isRestricted)
        this.#attempted.delete(name)
      },
      () => this.#attempted.delete(name),
    )
  }

  #once(name: string, change: Change): void {
    if (this.#begun.has(name)) return
    this.#begun.add(name)
    void this.store?.commit(change).catch(() => undefined)
  }

  async #read(contact: string, name: string): Promise<void> {
    const isAnswered = this.answered.has(name)
    const found = await this.store?.views(contact, [name])
    const all = await this.store?.relations(name)
    if (!found || !all) return
    this.#reads.push({ name, at: found.at, isThere: found.views[0]?.relation.theirs.levels.includes(1) === true })
    const count = all.filter(({ relation }) => relation.mine.isContact).length
    if (count !== contacts.length && (isAnswered || count > 0)) this.wrong.push(`${name} has ${count} of its contacts`)
  }

  /** Every read reflects the position that it states. */
  #compareReads(): void {
    for (const { name, at, isThere } of this.#reads) {
      const committedAt = this.answered.get(name)
      if (committedAt === undefined || isThere === at >= committedAt) continue
      this.wrong.push(`read at ${at} what came at ${committedAt}: ${isThere}`)
    }
  }

  async #compareRestricted(): Promise<void> {
    for (const [name, isRestricted] of this.#restricted) {
      const { restricted } = (await this.store?.user(name)) ?? {}
      if (restricted !== isRestricted) this.wrong.push(`${name} is restricted: ${restricted}`)
    }
  }

  /** Ends the server, and returns what is wrong with the data on the disk. */
  async end(): Promise<string[]> {
    this.disk.heal()
    this.#closed = 0
    for (let tries = 0; tries < 3; tries++) {
      this.clock.move(1_000)
      for (let turns = 0; turns < 20; turns++) await turn()
    }
    this.#compareReads()
    for (let user = 0; user < 3; user++) {
      const name = `user ${user}`
      const count = (await this.store?.relations(name))?.filter(({ relation }) => relation.mine.isContact).length
      const isRight = this.answered.has(name) ? count === contacts.length : count === 0 || count === contacts.length
      if (!isRight) this.wrong.push(`${name} has ${count} contacts`)
    }
    await this.#compareRestricted()
    await this.store?.close()
    await this.start()
    this.disk.heal()
    await this.#compareRestricted()
    const { inner } = this.disk
    const left = await inner.keys({ gt: 'staged\u0000', lt: 'staged\u0001' }).all()
    const { findings } = await check(inner)
    if (await inner.get(keys.staged)) left.push(keys.staged)
    return [...this.wrong, ...left, ...findings.map(finding => JSON.stringify(finding))]
  }
}

test('[D2][D4][V4] a staged change is on the disk as a whole or not at all, and so is read, whenever the server is killed', {
  timeout: 120_000,
}, async () => {
  await holdsAsync(
    fc.asyncProperty(steps(), fc.nat(), async (all, chance) => {
      const server = new Server(chance)
      await server.start()
      for (const step of all) await server.step(step)
      expect(await server.end()).toEqual([])
    }),
    500,
  )
})

test('[S3] commits of others are written between the slices of a large one, and the same records keep the newer values', async () => {
  const database = newMemory()
  const store = await storeOn(database, { limits: limitsWith(), clock: new TestClock(), sizes })
  const batches: string[][] = []
  const write = database.batch.bind(database) as unknown as (all: { key: string }[], options: object) => Promise<void>
  const noted = (all: { key: string }[], options: object): Promise<void> => {
    batches.push(all.map(({ key }) => key.replaceAll('\u0000', '|')))
    return write(all, options)
  }
  Object.assign(database, {
    batch: (all: { key: string }[] | undefined, options: object) =>
      all ? noted(all, options) : new ChainedBatch(noted),
  })
  await store.commit(large('alice'))
  await store.commit(userChange('eve', { restricted: true }))
  await store.close()
  await database.open()
  const again = await storeOn(database, { limits: limitsWith(), clock: new TestClock(), sizes })
  const isOf = (batch: string[], start: string): boolean => batch.some(key => key.startsWith(start))
  const which = (start: string): number[] => batches.flatMap((batch, index) => (isOf(batch, start) ? [index] : []))
  const commits = which('meta|position')
  expect(commits).toHaveLength(2)
  expect(commits[1]).toBeLessThan(which('staged|').at(-1) ?? 0)
  expect((await again.user('eve')).restricted).toBe(true)
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(10)
})

test('[D4] keys in byte order sort as the database sorts them', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1 })), async all => {
      const database = newMemory()
      await database.batch(all.map(key => ({ type: 'put', key, value: new Uint8Array() })))
      const sorted = all.map(byteOrdered).sort().map(keyOf)
      expect(sorted).toEqual(await database.keys().all())
    }),
    100,
  )
})

function newMemory(): LevelDatabase {
  return new MemoryLevel<string, Uint8Array>({ keyEncoding: 'utf8', valueEncoding: 'view' }) as unknown as LevelDatabase
}

test('[D4] a slice that an earlier change left on the disk is no part of the next one', async () => {
  const server = new Server(1)
  await server.start()
  const left = Slice.of([{ type: 'del', key: keys.user('cé') }])
  await server.disk.inner.put(keys.slice(50), left.bytes)
  await server.step({ do: 'large', user: 0 })
  while (!server.answered.has('user 0')) await server.step({ do: 'disk', answers: [0] })
  await server.step({ do: 'kill' })
  expect(await server.end()).toEqual([])
})

/** A server with a committed large change of a user, of which no slice has been applied. */
async function staged(before: readonly Change[] = []): Promise<Server> {
  const server = new Server(1)
  await server.start()
  server.disk.isSlow = false
  for (const change of before) await server.store?.commit(change)
  server.disk.isSlow = true
  await server.step({ do: 'large', user: 0 })
  while (!server.answered.has('user 0')) await server.step({ do: 'disk', answers: [0] })
  return server
}

test('[D4][V4] a range has each record once while a large change is applied that writes it again', async () => {
  const server = await staged([rosterChange('user 0', { ada: { levels: [3] }, eve: { levels: [3] } })])
  server.disk.isSlow = false
  const relations = await server.store?.relations('user 0')
  expect(relations?.map(({ owner }) => owner)).toEqual(contacts)
})

test('[D2][V4] a record that is written behind a large change is read as it was written last', async () => {
  const server = await staged()
  let isWritten = false
  void server.store?.commit(userChange('eve', { restricted: true })).then(() => {
    isWritten = true
  })
  while (!isWritten) await server.step({ do: 'disk', answers: [0] })
  expect(await server.disk.inner.get(keys.staged)).toBeDefined()
  server.disk.isSlow = false
  expect((await server.store?.user('eve'))?.restricted).toBe(true)
})

test('[D2] what a batch wrote that seemed to fail while a large change is applied is kept', async () => {
  const server = await staged()
  const failed = expect(server.store?.commit(userChange('eve', { restricted: true }))).rejects.toThrow()
  // The batch after the first slice is that of the commit.
  while (await server.disk.inner.get(keys.slice(0))) await server.step({ do: 'disk', answers: [0] })
  await server.step({ do: 'stay closed' })
  for (let count = 0; count < 20; count++) await server.step({ do: 'disk', answers: [0] })
  await failed
  await server.step({ do: 'probe' })
  expect(await server.end()).toEqual([])
  expect((await server.store?.user('eve'))?.restricted).toBe(true)
})

test('[D4] what wrote the last slice of a large change and seemed to fail leaves no marker for the next change', async () => {
  const database = newMemory()
  const store = await storeOn(database, { limits: limitsWith(), clock: new TestClock(), sizes })
  const behind: Promise<unknown>[] = []
  const write = database.batch.bind(database) as unknown as (all: Operation[], options: object) => Promise<void>
  const failing = async (all: Operation[], options: object): Promise<void> => {
    await write(all, options)
    if (behind.length > 0 || !all.some(({ type, key }) => type === 'del' && key === keys.staged)) return
    const last = contacts.map(id => userChange(id, { announceJoin: false }))
    behind.push(...last.map(change => store.commit(change)))
    throw new Error('the disk said nothing')
  }
  Object.assign(database, {
    batch: (all: Operation[] | undefined, options: object) =>
      all ? failing(all, options) : new ChainedBatch(failing as never),
  })
  await store.commit(large('alice'))
  while (behind.length === 0) await turn()
  await Promise.all(behind)
  await store.close()
  await database.open()
  expect(await database.get(keys.staged)).toBeUndefined()
})

interface Operation {
  type: 'put' | 'del'
  key: string
}
