import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeviceStorage, sqlite } from '@kith/client/sqlite'
import { sqliteOn } from '@kith/client/sqlite-driver'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type DeviceDatabase,
  dexieStorage,
  type OutboxRow,
  type PersonRow,
  schemaNumber,
  type Tables,
} from '../support/client-internals.ts'
import { guidedDriver } from '../support/guided-drivers.ts'
import { sqlJsDriver } from '../support/sqlite-drivers.ts'

/** The guarantees of `database/contract.ts`, tested for each storage. */
const storages: [name: string, make: () => DeviceStorage | Promise<DeviceStorage>][] = [
  ['Dexie', () => dexieStorage({ indexedDB: new IDBFactory(), IDBKeyRange })],
  ['SQLite in a folder', () => sqlite(folder())],
  ['SQLite on sql.js', async () => sqliteOn(await sqlJsDriver())],
  ['SQLite on the guide’s adapter of expo-sqlite', async () => sqliteOn(await guidedDriver('expo-sqlite', folder()))],
  ['SQLite on the guide’s adapter of op-sqlite', async () => sqliteOn(await guidedDriver('op-sqlite', folder()))],
]

describe.each(storages)('%s', (_name, make) => {
  const opened = async (populate?: (made: Tables) => Promise<unknown>): Promise<Opened> => {
    const storage = await make()
    const db = storage.database('mine', populate)
    onTestFinished(async () => void (await db.close()))
    await db.open()
    const reopen = async (): Promise<DeviceDatabase> => {
      await db.close()
      const again = storage.database('mine')
      onTestFinished(async () => void (await again.close()))
      await again.open()
      return again
    }
    return { storage, db, reopen }
  }

  test('[D1] a row comes back as it was put, also after the database was opened again', async () => {
    const { db, reopen } = await opened()
    const value = {
      map: new Map<unknown, unknown>([['a', new Map([[1, 2]])]]),
      set: new Set(['x', 'y']),
      bytes: Uint8Array.of(0, 1, 255),
      numbers: [0, -0, 1.5, -7, 2 ** 53 - 1, 1e300, Number.POSITIVE_INFINITY],
      absent: undefined,
      nothing: null,
      flags: [true, false],
      text: 'é😀\0 ""',
      nested: { list: [{}, [], ''] },
      ['__proto__']: 'a property like others',
    }
    const proto = Object.fromEntries([['__proto__', 'a property like others']])
    await db.meta.put({ key: 'value', value: { ...value, proto } })
    await db.meta.put({ key: 'imports', value: new Map([['phone', new Map([['+44', 'Ada']])]]) })
    await db.meta.put({ key: 'schema', value: schemaNumber })
    const again = await reopen()
    expect((await again.meta.get('value'))?.value).toStrictEqual({ ...value, proto })
    expect((await again.meta.get('imports'))?.value).toEqual(new Map([['phone', new Map([['+44', 'Ada']])]]))
    expect((await again.meta.toArray()).map(({ key }) => key).sort()).toEqual(['imports', 'schema', 'value'])
  })

  test('a row that was read is the reader’s own', async () => {
    const { db } = await opened()
    const value = { list: [1], bytes: Uint8Array.of(1) }
    await db.meta.put({ key: 'a', value })
    value.list.push(2)
    const read = (await db.meta.get('a'))?.value as typeof value
    read.bytes[0] = 9
    expect((await db.meta.get('a'))?.value).toEqual({ list: [1], bytes: Uint8Array.of(1) })
  })

  test('rows are numbered above all that the table ever had, and a number that is given counts', async () => {
    const { db, reopen } = await opened()
    expect(await db.outbox.add(entry('one'))).toBe(1)
    await db.outbox.put({ seq: 1_795_000_000_000, ...entry('far') })
    await db.outbox.bulkDelete([1, 1_795_000_000_000])
    expect(await db.outbox.add(entry('two'))).toBe(1_795_000_000_001)
    await db.outbox.clear()
    await db.outbox.add({ seq: 7.5, ...entry('between') })
    const again = await reopen()
    expect(await again.outbox.add(entry('three'))).toBe(1_795_000_000_002)
    expect((await again.outbox.toArray()).map(row => row.seq)).toEqual([7.5, 1_795_000_000_002])
    await expect(again.outbox.add({ seq: 7.5, ...entry('twice') })).rejects.toThrow()
  })

  test('rows are selected by key and by index, in the order of their keys', async () => {
    const { db } = await opened()
    await db.outbox.bulkPut([4, 1, 2.5, 3, 10].map(seq => ({ seq, ...entry(`${seq}`) })))
    const seqs = (rows: OutboxRow[]): unknown[] => rows.map(row => row.seq)
    expect(seqs(await db.outbox.toArray())).toEqual([1, 2.5, 3, 4, 10])
    expect(seqs(await db.outbox.where(':id').above(2.5).toArray())).toEqual([3, 4, 10])
    expect((await db.outbox.where(':id').below(3).last())?.seq).toBe(2.5)
    expect(await db.outbox.where(':id').above(10).first()).toBeUndefined()
    const isLarge = (row: OutboxRow): boolean => (row.seq as number) > 2
    expect(seqs(await db.outbox.toCollection().filter(isLarge).limit(2).toArray())).toEqual([2.5, 3])
    expect((await db.outbox.toCollection().filter(isLarge).last())?.seq).toBe(10)
    expect(await db.outbox.toCollection().primaryKeys()).toEqual([1, 2.5, 3, 4, 10])
    expect(seqs(await db.outbox.bulkGet([3, 99, 1]).then(rows => rows.filter(row => row !== undefined)))).toEqual([
      3, 1,
    ])
    expect(await db.outbox.bulkGet([99])).toEqual([undefined])
    await db.outbox.where(':id').belowOrEqual(3).delete()
    expect([await db.outbox.count(), seqs(await db.outbox.toArray())]).toEqual([2, [4, 10]])

    await db.people.bulkPut(Array.from({ length: 450 }, (_, index) => person(`p${index}`, index % 3 === 0 ? 1 : 0)))
    const listed = await db.people.where('isListed').equals(1).toArray()
    expect([listed.length, listed.every(row => row.isListed === 1)]).toEqual([150, true])
    expect((await db.people.where('isListed').equals(0).primaryKeys()).length).toBe(300)
    const odd = await db.people
      .toCollection()
      .filter(({ id }) => Number(id.slice(1)) % 2 === 1)
      .toArray()
    expect(odd.length).toBe(225)
    await db.people.bulkDelete(odd.map(({ id }) => id))
    expect(await db.people.count()).toBe(225)
    const ids = Array.from({ length: 450 }, (_, index) => `p${index}`)
    expect((await db.people.bulkGet(ids)).map(row => row?.id)).toEqual(ids.map((id, i) => (i % 2 ? undefined : id)))
  })

  test('[D1] of a transaction that rejects nothing is written, whatever it wrote before', async () => {
    const { db, reopen } = await opened()
    await db.meta.put({ key: 'a', value: 1 })
    const failing = db.transact('rw', async tables => {
      await tables.meta.put({ key: 'a', value: 2 })
      await tables.outbox.add(entry('lost'))
      throw new RangeError('on purpose')
    })
    await expect(failing).rejects.toBeInstanceOf(RangeError)
    const again = await reopen()
    expect([(await again.meta.get('a'))?.value, await again.outbox.count()]).toEqual([1, 0])
  })

  test('a transaction sees a state that nothing else changes, and those that read alone write nothing', async () => {
    const { db } = await opened()
    await db.meta.put({ key: 'n', value: 0 })
    const add = (): PromiseLike<unknown> =>
      db.transact('rw', async ({ meta }) => {
        const value = (await meta.get('n'))?.value as number
        await meta.toArray()
        await meta.put({ key: 'n', value: value + 1 })
      })
    await Promise.all([...Array.from({ length: 20 }, add), db.meta.toArray(), db.meta.count()])
    expect((await db.meta.get('n'))?.value).toBe(20)
    await expect(db.transact('r', async ({ meta }) => meta.put({ key: 'n', value: 0 }))).rejects.toThrow()
    expect((await db.meta.get('n'))?.value).toBe(20)
  })

  test('a live query tells what it finds, and again after each commit that concerns it', async () => {
    const { db } = await opened()
    const seen: unknown[] = []
    const stop = db.live(async ({ people }) => (await people.get('ada'))?.label, {
      next: label => seen.push(label),
      error: error => seen.push(error),
    })
    await expect.poll(() => seen).toEqual([undefined])
    await db.people.put(person('ada', 1))
    await expect.poll(() => seen).toEqual([undefined, 'ada'])
    await db
      .transact('rw', async ({ people }) => {
        await people.put({ ...person('ada', 1), label: 'not seen' })
        throw new Error('on purpose')
      })
      .then(undefined, () => undefined)
    await db.people.put({ ...person('ada', 1), label: 'Ada' })
    await expect.poll(() => seen.at(-1)).toBe('Ada')
    stop()
    await db.people.bulkDelete(['ada'])
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(seen).not.toContain('not seen')
    expect(seen.at(-1)).toBe('Ada')
  })

  test('a live query that fails says so, once', async () => {
    const { db } = await opened()
    const errors: unknown[] = []
    db.live(async () => Promise.reject(new RangeError('on purpose')), {
      next: () => undefined,
      error: error => errors.push(error),
    })
    await expect.poll(() => errors.length).toBe(1)
    expect(errors[0]).toBeInstanceOf(RangeError)
  })

  test('[D1] what fills a new database is written with it, and a database whose filling throws is not made', async () => {
    const { storage, db } = await opened(async made => made.meta.put({ key: 'a', value: 1 }))
    expect((await db.meta.get('a'))?.value).toBe(1)
    await db.close()
    const again = storage.database('mine', () => {
      throw new Error('there is one')
    })
    await again.open()
    await again.delete()
    const refused = storage.database('mine', () => {
      throw new RangeError('none is to be made')
    })
    await Promise.resolve(refused.open()).then(
      () => expect.unreachable(),
      () => undefined,
    )
    await refused.close()
    let isMade = false
    const made = storage.database('mine', () => {
      isMade = true
      return undefined
    })
    await made.open()
    await made.close()
    expect(isMade).toBe(true)
  })

  test('a closed database refuses work, is never opened again by itself, and lets another object open it', async () => {
    const { db, reopen } = await opened()
    const writing = db.meta.put({ key: 'a', value: 1 })
    expect(db.isOpen()).toBe(true)
    await writing
    const again = await reopen()
    expect([db.isOpen(), again.isOpen()]).toEqual([false, true])
    await expect(db.meta.get('a')).rejects.toMatchObject({ name: 'DatabaseClosedError' })
    await expect(db.open()).rejects.toMatchObject({ name: 'DatabaseClosedError' })
    expect((await again.meta.get('a'))?.value).toBe(1)
  })

  test('the register of devices outlives the database', async () => {
    const { storage, db } = await opened()
    await storage.register('rw', async ({ visits, erased }) => {
      await visits.put({ url: 'ws://a', user: 'ada' })
      await erased.put({ writer: 'w', why: 'closed' })
    })
    await db.delete()
    const both = Array.from({ length: 8 }, (_, index) =>
      storage.register('rw', async ({ visits }) => visits.put({ url: `ws://${index}`, user: 'ada' })),
    )
    await Promise.all(both)
    expect(await storage.register('r', async ({ visits }) => (await visits.get('ws://a'))?.user)).toBe('ada')
    expect(await storage.register('r', async ({ visits }) => visits.count())).toBe(9)
    expect(await storage.register('r', async ({ erased }) => erased.get('w'))).toEqual({ writer: 'w', why: 'closed' })
  })
})

interface Opened {
  storage: DeviceStorage
  db: DeviceDatabase
  reopen(): Promise<DeviceDatabase>
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'kith-contract-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function entry(name: string): Omit<OutboxRow, 'seq'> {
  return { document: 'roster', update: new TextEncoder().encode(name), changes: new Uint8Array() }
}

function person(id: string, isListed: 0 | 1): PersonRow {
  const no = { isContact: false, isSubscribed: false, isDeclined: false, isBlocked: false }
  return {
    id,
    label: id,
    fields: {},
    levels: [],
    ...no,
    hasJoined: false,
    isWaiting: false,
    hasChangedHands: false,
    isListed,
  }
}
