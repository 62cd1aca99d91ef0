import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type Change, check, type LevelDatabase, openLevelDatabase, openLevelStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { applyChanges, type KeyChange, profileKey, profileRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { mergeContext } from '../support/merge-context.ts'
import { atOnce, keys, mergeUpdates, StoredDocument, storeOn, userChange } from '../support/server-internals.ts'
import { type SmallDisk, smallDisk } from '../support/small-disk.ts'
import { limitsWith, newDatabase, storeOver, temporaryFolder } from '../support/stores.ts'
import { wholeReads } from '../support/whole-reads.ts'

/** Enough contacts that the change is prepared beside the queue. */
const many = 750
/** Enough contacts that LevelDB also receives them in another way, as a batch that is filled there. */
const veryMany = 1_600

/** The first change of a user's document, as the account would commit it. `check` finds the derived records in it. */
function firstChange(user: string, changes: readonly KeyChange[]): Change {
  const device = new Y.Doc()
  applyChanges(device, changes)
  const name = changes[0]?.root === profileRoot ? 'profile' : 'roster'
  const stored = new StoredDocument(name, [])
  const { roster, profile } = atOnce(
    mergeUpdates(name, stored, [Y.encodeStateAsUpdate(device)], limitsWith(), mergeContext),
  )
  return { type: 'documents', user, registers: true, roster, profile }
}

function largeChange(count: number): Change {
  const contacts = Array.from({ length: count }, (_, index) => [
    { root: 'contacts', key: `contact ${index}`, value: true },
    { root: 'grants', key: `1/contact ${index}`, value: true },
  ])
  return firstChange('alice', contacts.flat())
}

const large = { [many]: largeChange(many), [veryMany]: largeChange(veryMany) }

type Fault = 'before' | 'after'

/**
 * A real LevelDB with one failing operation. Nothing of the operation is done, or all of it, as when the disk fails to sync.
 */
class FaultyLevel {
  readonly database: LevelDatabase
  /** Operations so far. */
  count = 0
  #faultyOne = 0
  #fault: Fault = 'before'
  #onlyWrites = false
  #turns = 0
  #lastAt = 0
  #gate: { arrived: () => void; released: Promise<void> } | undefined

  constructor(inner: LevelDatabase) {
    const batch = (...args: unknown[]): unknown => {
      if (args.length > 0) return this.#run(() => (inner.batch as (...args: unknown[]) => unknown)(...args), true)
      const chained = inner.batch()
      const write = chained.write.bind(chained)
      return Object.assign(chained, { write: (options: object) => this.#run(() => write(options as never), true) })
    }
    const all = (reader: { all: () => Promise<unknown[]> }): unknown => wholeReads(reader, read => this.#run(read))
    const own: Record<PropertyKey, unknown> = {
      batch,
      getMany: (wanted: string[], options: object = {}) => this.#run(() => inner.getMany(wanted, options)),
      iterator: (range: object) => all(inner.iterator(range) as never),
      keys: (range: object) => all(inner.keys(range) as never),
    }
    this.database = new Proxy(inner, {
      get(target, name) {
        if (Object.hasOwn(own, name)) return own[name]
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  /** Makes the operation, or the write, with this number fail, counted from now on. */
  failAt(number: number, fault: Fault, onlyWrites = false): void {
    this.count = 0
    this.#faultyOne = number
    this.#fault = fault
    this.#onlyWrites = onlyWrites
  }

  /** Holds the next write. Resolves when it has arrived, to a function that releases it. */
  hold(): Promise<() => void> {
    return new Promise(resolve => {
      let release: () => void = () => undefined
      const released = new Promise<void>(go => {
        release = go
      })
      this.#gate = { arrived: () => resolve(release), released }
    })
  }

  /** Resolves when there has been no operation for a while. */
  async rest(): Promise<void> {
    for (this.#lastAt = this.#turns; this.#turns < this.#lastAt + 200; this.#turns++) await turn()
  }

  async #run<T>(operation: () => T | Promise<T>, isWrite = false): Promise<T> {
    this.#lastAt = this.#turns
    const isCounted = isWrite || !this.#onlyWrites
    if (isCounted) this.count++
    const isFaulty = isCounted && this.count === this.#faultyOne
    const gate = isWrite ? this.#gate : undefined
    if (gate) this.#gate = undefined
    gate?.arrived()
    await gate?.released
    if (isFaulty && this.#fault === 'before') throw new Error('the disk failed')
    const result = await operation()
    if (isFaulty) throw new Error('the disk failed')
    return result
  }
}

/**
 * Commits a large change beside small ones. The result of each must match what is on disk at that time. Returns the number of
 * operations.
 */
async function besideOthers(level: FaultyLevel, store: Store, contacts: keyof typeof large): Promise<number> {
  const largest = store.commit(large[contacts] as Change)
  const small = [
    store.commit(userChange('zoe')),
    store.commit(
      firstChange('contact 7', [{ root: profileRoot, key: profileKey(1, 'writer-1', 'name'), value: 'Seven' }]),
    ),
    store.commit(firstChange('contact 8', [{ root: 'blocks', key: 'aaaaaaaa/alice', value: true }])),
  ]
  const [largeOutcome, ...outcomes] = await Promise.allSettled([largest, ...small])
  const operations = level.count
  level.failAt(0, 'before')
  const records = await store.users(['alice', 'zoe', 'contact 7', 'contact 8'])
  const isThere = records.map(({ registeredAt }) => registeredAt > 0)
  expect([largeOutcome, ...outcomes].map(({ status }) => status === 'fulfilled')).toEqual(isThere)
  const relations = await store.relations('alice')
  expect(relations.filter(({ relation }) => relation.mine.isContact)).toHaveLength(isThere[0] ? Number(contacts) : 0)
  const last = await store.commit(userChange('yves'))
  expect((await store.user('yves')).registeredAt).toBe(last.position)
  return operations
}

test.each([
  { what: 'operation', contacts: many, fault: 'before', onlyWrites: false },
  { what: 'write', contacts: many, fault: 'after', onlyWrites: true },
  { what: 'write', contacts: veryMany, fault: 'before', onlyWrites: true },
  { what: 'write', contacts: veryMany, fault: 'after', onlyWrites: true },
] as const)(
  '[D2][D4] if any $what of LevelDB fails, $fault it is done, a change of $contacts contacts is written completely or not at all',
  { timeout: 300_000 },
  async ({ contacts, fault, onlyWrites }) => {
    let isOver = false
    for (let number = 1; !isOver; number++) {
      const level = new FaultyLevel(await newDatabase('level'))
      const store = storeOver(level.database, new TestClock())
      level.failAt(number, fault, onlyWrites)
      isOver = (await besideOthers(level, store, contacts)) < number
      // `check` ignores the overlay.
      while (await level.database.get(keys.staged)) await turn()
      expect((await check(level.database)).findings, `number ${number}`).toEqual([])
    }
  },
)

test('[D2] a large change that is ready when the database is opened again is prepared again, and written', async () => {
  const level = new FaultyLevel(await newDatabase('level'))
  const store = storeOver(level.database, new TestClock())
  level.failAt(1, 'before', true)
  const held = level.hold()
  const written = store.commit(large[veryMany] as Change)
  // The queue finds that the first change is too large, and writes this one. The first one is prepared meanwhile.
  const failing = store.commit(userChange('yves'))
  const release = await held
  await level.rest()
  release()
  await expect(failing).rejects.toThrow('the disk failed')
  await written
  expect(await store.relations('alice')).toHaveLength(veryMany)
  // `check` ignores the overlay.
  while (await level.database.get(keys.staged)) await turn()
  expect((await check(level.database)).findings).toEqual([])
})

test('[D2][D4] a server that ends before any write of a large change has all of it on disk, or nothing', {
  timeout: 180_000,
}, async () => {
  const folder = await temporaryFolder()
  const options = { limits: limitsWith(), clock: new TestClock() }
  const level = new FaultyLevel(await openLevelDatabase(folder))
  const store = await storeOn(level.database, options)
  await store.commit(userChange('zoe'))
  /** Opens a copy of the folder, which is what a crash would leave. */
  const crashed = async (): Promise<[relations: number, position: number]> => {
    const copy = await temporaryFolder()
    await cp(folder, copy, { recursive: true })
    await rm(join(copy, 'store', 'LOCK'), { force: true })
    const recovered = await openLevelStore(copy, options)
    const found = [(await recovered.relations('alice')).length, recovered.position] as [number, number]
    await recovered.close()
    const database = await openLevelDatabase(copy)
    expect((await check(database)).findings).toEqual([])
    await database.close()
    return found
  }
  let isAnswered = false
  let isHeld = false
  let release: () => void = () => undefined
  const holdNext = (): void => {
    isHeld = false
    void level.hold().then(go => {
      release = go
      isHeld = true
    })
  }
  holdNext()
  const written = store.commit(large[veryMany] as Change).then(({ position }) => {
    isAnswered = true
    return position
  })
  const found: [relations: number, isAnswered: boolean][] = []
  // Before each of its writes, and after the last one.
  for (let isOver = false; !isOver; ) {
    if (isHeld) {
      found.push([(await crashed())[0], isAnswered])
      const go = release
      holdNext()
      go()
    }
    await turn()
    isOver = isAnswered && !isHeld && (await level.database.get(keys.staged)) === undefined
  }
  expect(await crashed()).toEqual([veryMany, await written])
  // Nothing is there before the commit, and everything from then on, also while slices are being applied.
  const commit = found.findIndex(([relations]) => relations > 0)
  expect(found.map(([relations]) => relations)).toEqual(found.map((_, index) => (index < commit ? 0 : veryMany)))
  expect(found.every(([relations, wasAnswered]) => !wasAnswered || relations === veryMany)).toBe(true)
  expect([commit, found.length - commit].every(count => count > 3)).toBe(true)
  await store.close()
})

const disk = smallDisk(24 * 1024)

test.runIf(disk)(
  '[D2] a large change without room on the disk is refused completely, and written when there is room',
  async () => {
    const { folder, fill } = disk as SmallDisk
    const clock = new TestClock()
    const store = await openLevelStore(join(folder, 'data'), { limits: limitsWith(), clock })
    await store.commit(userChange('zoe'))
    const filler = await fill()
    await expect(store.commit(large[veryMany] as Change)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(store.commit(large[veryMany] as Change)).rejects.toMatchObject({ code: 'unavailable' })
    expect([(await store.relations('alice')).length, (await store.user('zoe')).registeredAt]).toEqual([0, 1])
    await rm(filler)
    const refusal = (): unknown => {
      clock.move(1_000)
      return store.refusal
    }
    await expect.poll(refusal, { message: 'without any traffic' }).toBe(undefined)
    await store.commit(large[veryMany] as Change)
    await store.close()
    const database = await openLevelDatabase(join(folder, 'data'))
    expect((await check(database)).findings).toEqual([])
    await database.close()
  },
)
