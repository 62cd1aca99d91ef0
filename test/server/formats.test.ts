import { EventRoom, type LevelDatabase, openLevelDatabase, openLevelStore } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { applyChanges, founderOf } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import { batchOfEitherKind, ChainedBatch } from '../support/chained-batch.ts'
import { mergeContext } from '../support/merge-context.ts'
import {
  atOnce,
  type CommitSizes,
  encodeLevel,
  encodeRelation,
  encodeUser,
  type Format,
  Incarnations,
  keys,
  type Migration,
  mergeUpdates,
  newUser,
  noRelation,
  openStore,
  partsOf,
  prepareDatabase,
  profileChange,
  Runs,
  ranges,
  registered,
  rosterChange,
  StoredDocument,
  storeOn,
  undelivered,
  userChange,
} from '../support/server-internals.ts'
import { faulty, limitsWith, newDatabase, temporaryFolder } from '../support/stores.ts'

const options = { limits: limitsWith(), clock: new TestClock() }
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

async function textAt(database: LevelDatabase, key: string): Promise<string | undefined> {
  const bytes = await database.get(key)
  return bytes && new TextDecoder().decode(bytes)
}

/** The format number and the `minReader` of a database. */
async function formatOf(database: LevelDatabase): Promise<(string | undefined)[]> {
  return [await textAt(database, keys.format), await textAt(database, keys.minReader)]
}

async function everything(database: LevelDatabase): Promise<[string, string][]> {
  const entries = await database.iterator().all()
  return entries.map(([key, value]) => [key, Buffer.from(value).toString('hex')])
}

/** A data folder with two users and these additional records. */
async function folderWith(records: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder()
  const store = await openLevelStore(folder, options)
  for (const user of ['alice', 'bob']) await store.commit(userChange(user))
  await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
  await store.close()
  const database = await openLevelDatabase(folder)
  await database.batch(Object.entries(records).map(([key, value]) => ({ type: 'put' as const, key, value })))
  await database.close()
  return folder
}

const longer = (bytes: Uint8Array): Uint8Array => Uint8Array.of(...bytes, 0)

test('[D4] a new data folder has the present format number, and a minReader that 0.1.0 reads', async () => {
  const database = await newDatabase('level')
  await storeOn(database, options)
  expect(await formatOf(database)).toEqual(['5', 'kith-1'])
})

test('[D4] a data folder without a format number is that of 0.1.0: it is adopted, and nothing else changes', async () => {
  const folder = await folderWith({})
  const before = await openLevelDatabase(folder)
  await before.del(keys.format)
  const records = await everything(before)
  await before.close()
  const after = await openLevelDatabase(folder)
  expect(await formatOf(after)).toEqual(['5', 'kith-1'])
  expect((await everything(after)).filter(([key]) => key !== keys.format)).toEqual(records)
  await after.close()
})

test.each(['aa', 'book', 'cursor', 'days', 'e', 'key', 'link', 'picture', 's', 'theme', 'tokenz', 'v', 'word'])(
  '[D4] a data folder with the family %s, which this version does not know, is refused, and nothing is changed',
  async family => {
    const folder = await folderWith({ [`${family}\u0000alice`]: new Uint8Array(1) })
    await expect(openLevelStore(folder, options)).rejects.toThrow(
      `${folder} holds records of the family "${family}", which this version of Kith does not know, so nothing was changed: ` +
        'run the version that wrote it, or a later one, or give another folder with --data',
    )
  },
)

test('[D4] a data folder with a setting that this version does not know is refused', async () => {
  const folder = await folderWith({ 'meta\u0000shards': text('3') })
  await expect(openLevelDatabase(folder)).rejects.toThrow(
    /holds the setting "shards", .* run the version that wrote it/,
  )
})

test('[D4] what a broken-off compact leaves at both ends of the keys is no unknown family', async () => {
  const folder = await folderWith({ '\u0000': new Uint8Array(1), '\uffff': new Uint8Array(1) })
  await (await openLevelStore(folder, options)).close()
})

const relation = { ...noRelation, isPaired: true }
const level = encodeLevel({ position: 1, fields: encodeFields({ name: 'Zoe' }) })
const event = { type: 'user.blocked', line: 'zoe', shard: 3 }
const handed = encodeRelation(relation)
handed[0] = 32

test.each([
  ["a user's record with a new member", 'user\u0000zoe', text(JSON.stringify({ ...newUser(), shard: 3 })), '"shard"'],
  ["a user's record, the first one", 'user\u0000aa', text(JSON.stringify({ ...newUser(), shard: 3 })), '"shard"'],
  ['a relation with a byte more', 'relation\u0000zoe\u0000amy', longer(encodeRelation(relation)), 'bytes at its end'],
  ['a relation with a new flag', 'relation\u0000zoe\u0000amy', handed, 'a flag'],
  ['a look-up with a byte more', 'asked\u0000zoe\u0000amy', new Uint8Array(2), 'a look-up with bytes at its end'],
  ['a level with a byte more', 'level\u0000zoe\u000000000000000000', longer(level), 'a level with another form'],
  ['an event with a new member', keys.event({ position: 1, index: 0 }), text(JSON.stringify(event)), '"shard"'],
  ['a revocation with more than a time', keys.tokens('zoe'), text('1700000000000;3'), 'the number "1700000000000;3"'],
  ['a number of erasures with more', keys.erased('zoe'), text('{"times":3}'), 'the number "{'],
  ['more about removed records', keys.lapsed, text('{"upTo":0,"observedMs":1,"shard":3}'), '"shard" of "lapsed"'],
  ['a day with more than a position', keys.day(0), text('7,8'), 'the number "7,8"'],
])('[D4] a data folder with %s is refused, and says what to do', async (_, key, bytes, what) => {
  const folder = await folderWith({ [key]: bytes })
  const opening = openLevelStore(folder, options)
  await expect(opening).rejects.toThrow(what)
  await expect(opening).rejects.toThrow(/which this version of Kith does not know: run the version that wrote it/)
})

test('[D4] a record with more than this version knows is never written without it, wherever it stands', async () => {
  const newer = text(JSON.stringify({ ...newUser(), registeredAt: 1, shard: 3 }))
  const folder = await folderWith({ 'user\u0000alina': newer })
  const store = await openLevelStore(folder, options)
  await expect(store.user('alina')).rejects.toThrow('"shard", which this version of Kith does not know')
  await expect(store.commit(userChange('alina', { restricted: true }))).rejects.toThrow('"shard"')
  await expect(store.commit(rosterChange('alice', { alina: { isContact: true } }))).rejects.toThrow('"shard"')
  await store.commit(userChange('bob', { restricted: true }))
  await store.close()
  const database = await openLevelDatabase(folder)
  expect(await textAt(database, keys.user('alina'))).toEqual(new TextDecoder().decode(newer))
  await database.close()
})

test('[D4] a level with more than this version knows is never replaced, wherever it stands', async () => {
  const newer = longer(level)
  const folder = await folderWith({
    [keys.level('alex', 0)]: level,
    [keys.level('alina', 0)]: newer,
    [keys.level('zoe', 0)]: level,
  })
  const store = await openLevelStore(folder, options)
  await expect(store.commit(profileChange('alina', { 0: 'Alina' }))).rejects.toThrow('a level with another form')
  await store.commit(profileChange('bob', { 0: 'Bob' }))
  await store.close()
  const database = await openLevelDatabase(folder)
  expect(Uint8Array.from((await database.get(keys.level('alina', 0))) ?? [])).toEqual(newer)
  await database.close()
})

test('[D4] a folder of a later format is refused by its minReader, or opened and what is new there left alone', async () => {
  const refused = await folderWith({ [keys.format]: text('7'), [keys.minReader]: text('kith-6') })
  await expect(openLevelStore(refused, options)).rejects.toThrow(
    /has the format "kith-6", and this version of Kith reads kith-1 to kith-5: run the version that wrote it, or a later one/,
  )
  const opened = await folderWith({
    [keys.format]: text('6'),
    [keys.minReader]: text('kith-2'),
    'new\u0000a': text('b'),
  })
  const store = await openLevelStore(opened, options)
  await store.commit(userChange('carol'))
  await store.close()
  const database = await openLevelDatabase(opened)
  expect(await formatOf(database)).toEqual(['6', 'kith-2'])
  expect(await textAt(database, 'new\u0000a')).toBe('b')
  await database.close()
})

test('[D4] a folder of a later format keeps its minReader, also where that is the one of folders with events', async () => {
  const folder = await folderWith({ [keys.format]: text('6'), [keys.minReader]: text('kith-3') })
  const store = await openLevelStore(folder, options)
  await store.commit(userChange('carol'))
  await store.close()
  const database = await openLevelDatabase(folder)
  expect(await formatOf(database)).toEqual(['6', 'kith-3'])
  await database.close()
})

/** With these sizes, a change of four contacts is staged in several slices. */
const sizes: CommitSizes = { recordsInQueue: 2, recordsOfMedium: 3, operationsInBatch: 4, operationsInSlice: 3 }

function largeRoster(user = 'alice'): Parameters<Awaited<ReturnType<typeof storeOn>>['commit']>[0] {
  const device = new Y.Doc()
  applyChanges(
    device,
    ['bob', 'carol', 'dave', 'erin'].map(key => ({ root: 'contacts' as const, key, value: true })),
  )
  const stored = new StoredDocument('roster', [])
  const { roster, profile } = atOnce(
    mergeUpdates('roster', stored, [Y.encodeStateAsUpdate(device)], limitsWith(), mergeContext),
  )
  return { type: 'documents', user, registers: true, roster, profile }
}

/** Records the minReader and the marker of a staged change after each batch. */
function watched(database: LevelDatabase): {
  database: LevelDatabase
  seen: [isStaged: boolean, string | undefined][]
} {
  const seen: [boolean, string | undefined][] = []
  const write = async (operations: object[], options: object): Promise<void> => {
    await database.batch(operations as never, options)
    seen.push([(await database.get(keys.staged)) !== undefined, await textAt(database, keys.minReader)])
  }
  const batch = (operations: object[] | undefined, options: object): unknown =>
    operations ? write(operations, options) : new ChainedBatch(write)
  const proxy = new Proxy(database, {
    get(target, name) {
      if (name === 'batch') return batch
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { database: proxy, seen }
}

test.each([
  { minReader: 1, staged: 'kith-2' },
  { minReader: 2, staged: 'kith-2' },
  { minReader: 3, staged: 'kith-3' },
  { minReader: 5, staged: 'kith-5' },
])(
  '[D2] a folder with minReader $minReader has $staged exactly while a change is staged, so 0.1.0 does not drop it',
  async ({ minReader, staged }) => {
    const { database, seen } = watched(await newDatabase('memory'))
    await database.put(keys.minReader, text(`kith-${minReader}`))
    const store = openStore({
      ...{ ...options, database, minReader, sizes, position: 0 },
      ...{ runs: Runs.begin(undefined, 0), cursorKey: new Uint8Array(32) },
      incarnations: new Incarnations(new Uint8Array(32)),
    })
    await store.commit(largeRoster())
    await store.close()
    expect(seen.some(([isStaged]) => isStaged)).toBe(true)
    for (const [isStaged, text] of seen) expect(text).toBe(isStaged ? staged : `kith-${minReader}`)
  },
)

test('[D2] a start that finishes a staged change lets 0.1.0 open the folder again', async () => {
  const folder = await folderWith({
    [keys.staged]: Uint8Array.of(0, 0, 0),
    [keys.minReader]: text('kith-2'),
  })
  const database = await openLevelDatabase(folder)
  expect(await formatOf(database)).toEqual(['5', 'kith-1'])
  expect(await database.get(keys.staged)).toBe(undefined)
  await database.close()
})

/** Records the minReader that is stored when documents of later generations are written. */
function guarded(database: LevelDatabase): { database: LevelDatabase; founded: (string | undefined)[] } {
  const founded: (string | undefined)[] = []
  const batch = batchOfEitherKind<Operation>(async (operations, options) => {
    const isFounded = operations.some(one => one.type === 'put' && isOfLaterGeneration(one))
    if (isFounded) founded.push(await textAt(database, keys.minReader))
    await database.batch(operations as never, options)
  })
  const proxy = new Proxy(database, {
    get(target, name) {
      if (name === 'batch') return batch
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { database: proxy, founded }
}

type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

function isOfLaterGeneration({ key, value }: { key: string; value: Uint8Array }): boolean {
  if (partsOf(key)[0] !== 'document') return false
  const doc = new Y.Doc()
  Y.applyUpdateV2(doc, value)
  return founderOf(doc.store.clients.keys()) > 0
}

test('[R4] a folder has kith-5 from before a document of it is refounded, so 0.1.0 refuses it, and keeps it through starts, migrations and large changes', async () => {
  const clock = new TestClock()
  const memory = await newDatabase('memory')
  const { database, founded } = guarded(memory)
  const { accounts, device } = accountsOver(await storeOn(database, { ...options, clock }), clock)
  device('alice').edit([{ root: 'labels', key: 'bob', value: 'Bob' }])
  await accounts.idle()
  expect(await formatOf(memory)).toEqual(['5', 'kith-1'])
  await accounts.refound('alice', 'roster')
  expect([founded, await formatOf(memory)]).toEqual([['kith-5'], ['5', 'kith-5']])

  const again = await storeOn(database, { ...options, sizes })
  await again.commit(largeRoster('carol'))
  await again.close()
  await memory.open()
  expect(await formatOf(memory)).toEqual(['5', 'kith-5'])
  await memory.put(keys.staged, Uint8Array.of(0, 0, 0))
  await prepareDatabase(memory, 'the folder')
  expect(await formatOf(memory)).toEqual(['5', 'kith-5'])
  await prepareDatabase(memory, 'the folder', {
    formats: [later[0], ...later.slice(1, 5), { number: 6, minReader: 1 }],
  })
  expect(await formatOf(memory)).toEqual(['6', 'kith-5'])
})

test.each(['at once', 'in slices'])(
  '[R4] a folder that a device fills %s with a document that was refounded has kith-5 before it is written',
  async how => {
    const clock = new TestClock()
    const { database, founded } = guarded(await newDatabase('memory'))
    const store = await storeOn(database, how === 'at once' ? { ...options, clock } : { ...options, clock, sizes })
    const { accounts, device } = accountsOver(store, clock)
    const doc = new Y.Doc()
    doc.clientID = 2 ** 32 + 7
    applyChanges(
      doc,
      ['bob', 'carol', 'dave', 'erin'].map(key => ({ root: 'contacts' as const, key, value: true })),
    )
    device('alice').send('roster', Y.encodeStateAsUpdate(doc))
    await accounts.idle()
    await store.close()
    await database.open()
    expect(founded.length).toBeGreaterThan(0)
    expect(new Set(founded)).toEqual(new Set(['kith-5']))
    expect(await formatOf(database)).toEqual(['5', 'kith-5'])
  },
)

test('[D4] a folder with events that wait is not opened to versions without an outbox by a migration', async () => {
  const database = await newDatabase('memory')
  const room = new EventRoom({ mostEvents: 10, includesText: false })
  const store = await storeOn(database, { ...options, room })
  await registered(store, 'alice', 'bob')
  await store.commit(await undelivered(store))
  await database.put(keys.format, text('3'))
  await prepareDatabase(database, 'the folder')
  expect(await formatOf(database)).toEqual(['5', 'kith-3'])
})

/** A later version's migration, which appends a mark to each user's record. */
const marking: Migration = {
  range: ranges.users,
  rewrite: (key, value) => [{ type: 'put', key, value: text(`${new TextDecoder().decode(value)} `) }],
}
const later: [Format, ...Format[]] = [
  { number: 1, minReader: 1 },
  { number: 2, minReader: 1 },
  { number: 3, minReader: 1 },
  { number: 4, minReader: 1 },
  { number: 5, minReader: 1 },
  { number: 6, minReader: 6, migration: marking },
  { number: 7, minReader: 6 },
  {
    number: 8,
    minReader: 7,
    migration: {
      range: ranges.allAsked,
      rewrite: (key: string) => [
        { type: 'del', key },
        { type: 'put', key: keys.erased(partsOf(key)[2] as string), value: text('1') },
      ],
    },
  },
]

/** The same migration in a format that earlier versions may read when it is complete. */
const mild: typeof later = [later[0], ...later.slice(1, 5), { number: 6, minReader: 1, migration: marking }]

async function manyUsers(): Promise<LevelDatabase> {
  const database = await newDatabase('level')
  await storeOn(database, options)
  await database.batch(
    Array.from({ length: 2_500 }, (_, index) => [
      { type: 'put' as const, key: keys.user(`user ${index}`), value: encodeUser(newUser()) },
      { type: 'put' as const, key: keys.asked('alice', `user ${index}`), value: new Uint8Array() },
    ]).flat(),
  )
  return database
}

test('[D4] a migration rewrites each record once, in batches, and says how far it is', async () => {
  const database = await manyUsers()
  const told: [number, number][] = []
  await prepareDatabase(database, 'the folder', { formats: later, onProgress: (...one) => told.push(one) })
  const users = await database.values(ranges.users).all()
  expect(users).toHaveLength(2_500)
  expect(users.every(bytes => new TextDecoder().decode(bytes) === `${JSON.stringify(newUser())} `)).toBe(true)
  expect(await database.keys(ranges.allAsked).all()).toEqual([])
  expect(await formatOf(database)).toEqual(['8', 'kith-7'])
  expect(await database.get(keys.migrating)).toBe(undefined)
  const progress = [0, 1_000, 2_000, 2_500]
  expect(told).toEqual([...progress.map(count => [6, count]), ...progress.map(count => [8, count])])
  await prepareDatabase(database, 'the folder', { formats: later, onProgress: (...one) => told.push(one) })
  expect(told).toHaveLength(8)
})

test.each([
  ['of formats that exclude earlier versions', later, ['8', 'kith-7']],
  ['of a format that earlier versions may read', mild, ['6', 'kith-1']],
])(
  '[D4] a migration %s that ends before any of its writes goes on there at the next start, and no earlier version opens the folder meanwhile',
  async (_, later, expected) => {
    for (let writes = 0, isOver = false; !isOver; writes++) {
      const database = await manyUsers()
      let left = writes
      const dying = new Proxy(faulty(database).database, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target)
          if (name !== 'batch') return typeof value === 'function' ? value.bind(target) : value
          return (...args: unknown[]) => {
            if (left-- === 0) throw new Error('killed')
            return (value as (...args: unknown[]) => unknown)(...args)
          }
        },
      })
      isOver = await prepareDatabase(dying, 'the folder', { formats: later }).then(
        () => true,
        () => false,
      )
      const [number] = await formatOf(database)
      const known = later.slice(0, Number(number)) as typeof later
      if (!isOver && writes > 0) {
        const isUnderWay = (await database.get(keys.migrating)) !== undefined
        const opening = prepareDatabase(database, 'the folder', { formats: known })
        if (isUnderWay) await expect(opening, `after ${writes} writes`).rejects.toThrow('run the version that wrote it')
        else await opening
      }
      await prepareDatabase(database, 'the folder', { formats: later })
      const users = await database.values(ranges.users).all()
      expect(users.every(bytes => bytes.at(-1) === 32 && bytes.at(-2) !== 32)).toBe(true)
      expect(await database.keys(ranges.allAsked).all()).toHaveLength(expected[0] === '8' ? 0 : 2_500)
      expect(await formatOf(database)).toEqual(expected)
    }
  },
)

test('[D4] a record with the position of relations, which earlier versions noted for check, is read and written without it', async () => {
  const noted = text(JSON.stringify({ ...newUser(), registeredAt: 1, relationsChangedAt: 2 }))
  const folder = await folderWith({ [keys.user('carol')]: noted })
  const store = await openLevelStore(folder, options)
  expect(await store.user('carol')).toEqual({ ...newUser(), registeredAt: 1 })
  await store.commit(userChange('carol', { restricted: true }))
  await store.close()
  const database = await openLevelDatabase(folder)
  const written = await database.get(keys.user('carol'))
  expect(Buffer.from(written ?? [])).toEqual(
    Buffer.from(encodeUser({ ...newUser(), registeredAt: 1, restricted: true })),
  )
  await database.close()
})
