import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { check, compact, type LevelDatabase } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { grantKey, profileKey, profileRoot } from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import { Level } from 'level'
import { describe, expect, test } from 'vitest'
import { accountsOver, type WritingDevice } from '../support/account-world.ts'
import {
  checkKeeping,
  decodeLevel,
  decodeRelation,
  decodeUser,
  encodeLevel,
  encodeNumber,
  encodeRelation,
  encodeUser,
  keys,
  type Relation,
  type UserRecord,
} from '../support/server-internals.ts'
import { newDatabase, storeOver, temporaryFolder } from '../support/stores.ts'

interface World {
  database: LevelDatabase
  alice: WritingDevice
  bob: WritingDevice
  settle(): Promise<void>
}

/** Alice grants Bob level 2, and Bob follows her. */
async function world(database: LevelDatabase): Promise<World> {
  const clock = new TestClock()
  const store = storeOver(database, clock)
  const { accounts, device } = accountsOver(store, clock)
  const [alice, bob] = [device('alice'), device('bob')]
  for (const one of [alice, bob]) one.connect()
  alice.edit([
    { root: 'contacts', key: 'bob', value: true },
    { root: 'grants', key: grantKey(2, 'bob'), value: true },
    { root: profileRoot, key: profileKey(0, 'writer-of-alice', 'name'), value: 'Ada' },
    { root: profileRoot, key: profileKey(2, 'writer-of-alice', 'phone'), value: '+441632960001' },
  ])
  bob.edit([{ root: 'subscriptions', key: 'alice', value: true }])
  await accounts.idle()
  await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
  return { database, alice, bob, settle: () => accounts.idle() }
}

describe('[D4] check', () => {
  test('[D4] check finds nothing in a correct store, and counts its records', async () => {
    const { database } = await world(await newDatabase('memory'))
    const leftovers = { relations: 0, lookups: 0, days: 0, changes: 0, logs: 0, declined: 0, users: 0, tokens: 0 }
    expect(await check(database)).toEqual({ users: 2, relations: 2, leftovers, findings: [] })
    expect(await check(await newDatabase('memory'))).toEqual({ users: 0, relations: 0, leftovers, findings: [] })
  })

  const user = (id: string, change: (record: UserRecord) => Partial<UserRecord>) => async (database: LevelDatabase) => {
    const record = decodeUser((await database.get(keys.user(id))) as Uint8Array)
    await database.put(keys.user(id), encodeUser({ ...record, ...change(record) }))
  }
  const relation =
    (a: string, b: string, change: (one: Relation) => Partial<Relation>) => async (db: LevelDatabase) => {
      const record = decodeRelation((await db.get(keys.relation(a, b))) as Uint8Array)
      await db.put(keys.relation(a, b), encodeRelation({ ...record, ...change(record) }))
    }
  const level =
    (change: (one: ReturnType<typeof decodeLevel>) => Partial<ReturnType<typeof decodeLevel>>) =>
    async (db: LevelDatabase) => {
      const record = decodeLevel((await db.get(keys.level('alice', 2))) as Uint8Array)
      await db.put(keys.level('alice', 2), encodeLevel({ ...record, ...change(record) }))
    }

  test.each<[string, (database: LevelDatabase) => Promise<void>, string, RegExp]>([
    ['an audience', user('alice', () => ({ audience: 'nobody' })), 'alice', /audience is nobody, not everyone/],
    ['automatic following', user('alice', () => ({ autoSync: false })), 'alice', /autoSync/],
    ['a number of follows', user('bob', () => ({ follows: 7 })), 'bob', /follows is 7, not 1/],
    ['a number of waiting follows', user('bob', () => ({ waiting: 1 })), 'bob', /waiting is 1, not 0/],
    ['a number of unasked owners', user('bob', () => ({ unasked: 1 })), 'bob', /unasked is 1, not 0/],
    ['a position of a level', user('alice', () => ({ levels: { 0: 1, 2: 1 } })), 'alice', /level \d has two positions/],
    [
      'a level too many',
      user('alice', ({ levels }) => ({ levels: { ...levels, 9: 1 } })),
      'alice',
      /level 9 is not stored/,
    ],
    ['a registration', user('alice', () => ({ registeredAt: 0 })), 'bob', /is shown levels \[0,2\] of "alice"/],
    [
      'a restriction without the pair',
      relation('bob', 'alice', () => ({ isPaired: false })),
      'bob',
      /disagree on their pairing/,
    ],
    [
      'a follow',
      relation('bob', 'alice', ({ mySide }) => ({
        mySide: { ...mySide, said: { ...mySide.said, isSubscribed: false } },
      })),
      'bob',
      /derived otherwise/,
    ],
    ...(
      [
        ['a contact', { isContact: true }],
        ['a decline', { isDeclined: true }],
        ['a block', { isBlocked: true }],
        ['a grant', { levels: [5] }],
        ['a confirmation', { confirmed: ['AQIDBAUGBwg'] }],
      ] as const
    ).map(([what, fact]): [string, (database: LevelDatabase) => Promise<void>, string, RegExp] => [
      `${what} that the roster does not have`,
      relation('bob', 'alice', ({ mySide }) => ({ mySide: { ...mySide, said: { ...mySide.said, ...fact } } })),
      'bob',
      /derived otherwise/,
    ]),
    [
      'a grant on the viewer’s side',
      relation('bob', 'alice', ({ theirSide }) => ({
        theirSide: { ...theirSide, said: { ...theirSide.said, levels: [3] } },
      })),
      'alice',
      /another idea/,
    ],
    [
      'an incarnation to confirm on one side alone',
      relation('bob', 'alice', ({ theirSide }) => ({ theirSide: { ...theirSide, unconfirmed: 'AQIDBAUGBwg' } })),
      'alice',
      /another idea/,
    ],
    [
      'an incarnation to confirm of an account that was never erased',
      relation('alice', 'bob', ({ mySide }) => ({ mySide: { ...mySide, unconfirmed: 'AQIDBAUGBwg' } })),
      'alice',
      /not the present incarnation/,
    ],
    [
      'an incarnation to confirm where nothing was given',
      relation('bob', 'alice', ({ mySide }) => ({
        mySide: { said: { ...mySide.said, isSubscribed: false }, unconfirmed: 'AQIDBAUGBwg' },
      })),
      'bob',
      /there is nothing/,
    ],
    [
      'a level shown too many',
      relation('bob', 'alice', () => ({ shown: [0, 2, 3] })),
      'bob',
      /should be shown \[0,2\]/,
    ],
    ['a level shown too few', relation('bob', 'alice', () => ({ shown: [] })), 'bob', /should be shown \[0,2\]/],
    ['a wait', relation('alice', 'bob', () => ({ isWaiting: true })), 'alice', /waits that is none/],
    ['an unasked owner', relation('alice', 'bob', () => ({ isUnasked: true })), 'alice', /unasked without a grant/],
    ['a relation from the future', relation('bob', 'alice', () => ({ changedAt: 999 })), 'bob', /from the future/],
    [
      'fields',
      level(() => ({ fields: encodeFields({ phone: '+1' }) })),
      'alice',
      /level 2 is not what the profile says/,
    ],
    ['a position in a level', level(() => ({ position: 1 })), 'alice', /level 2 has two positions/],
    ['a missing level', db => db.del(keys.level('alice', 2)), 'alice', /level 2 is missing/],
    [
      'a level of nobody',
      db => db.put(keys.level('zoe', 1), encodeLevel({ position: 1, fields: encodeFields({ a: 1 }) })),
      'zoe',
      /level 1/,
    ],
    ['a missing relation', db => db.del(keys.relation('bob', 'alice')), 'bob', /derived otherwise/],
    ['a missing mirror', db => db.del(keys.relation('alice', 'bob')), 'bob', /another idea|pairing/],
    ['a missing user', db => db.del(keys.user('alice')), 'bob', /is shown levels/],
    [
      'a missing document',
      db => db.clear({ gt: 'document\u0000bob', lt: 'document\u0000bob\u0001' }),
      'bob',
      /derived otherwise/,
    ],
    [
      'a document that is none',
      db => db.put(keys.snapshot('bob', 'roster'), new Uint8Array([9, 9, 9])),
      'bob',
      /can't be read/,
    ],
    ['a record that is none', db => db.put(keys.user('alice'), new Uint8Array([123])), 'alice', /can't be read/],
    ['a position', db => db.put(keys.position, encodeNumber(1)), 'bob', /from the future/],
  ])('[D4] check finds a wrong or missing record: %s', async (_, tamper, who, what) => {
    const { database } = await world(await newDatabase('memory'))
    await tamper(database)
    const { findings } = await check(database)
    expect(findings.some(finding => finding.user === who && what.test(finding.what))).toBe(true)
  })

  /** Mia and Noa name 400 ids, some of which sort before them and some after them. Each third id is also named by Olga. */
  async function phoneBooks(): Promise<{ database: LevelDatabase; named: string[] }> {
    const database = await newDatabase('memory')
    const clock = new TestClock()
    const { accounts, device } = accountsOver(storeOver(database, clock), clock)
    const named = Array.from({ length: 400 }, (_, number) => `${number % 2 === 0 ? 'a' : 'z'}${1000 + number}`)
    for (const [writer, some] of [
      ['mia', named],
      ['noa', named],
      ['olga', named.filter((_, index) => index % 3 === 0)],
    ] as const) {
      const one = device(writer)
      one.connect()
      one.edit(some.map(key => ({ root: 'contacts', key, value: true })))
      await accounts.idle()
    }
    return { database, named }
  }

  test('[D4] check of large rosters finds nothing in a correct store', async () => {
    const { database } = await phoneBooks()
    const correct = { users: 403, relations: 2 * (400 + 400 + 134), findings: [] }
    for (const room of [200_000, 100, 0]) expect(await checkKeeping(room, database)).toMatchObject(correct)
  })

  test.each([
    ['a1000', 'mia', 'mia', '"a1000" has another idea of what this roster says'],
    ['a1000', 'olga', 'olga', '"a1000" has another idea of what this roster says'],
    ['z1399', 'noa', 'noa', '"z1399" has another idea of what this roster says'],
    ['mia', 'a1398', 'mia', 'what the roster says of "a1398" is derived otherwise'],
    ['noa', 'z1001', 'noa', 'what the roster says of "z1001" is derived otherwise'],
    ['olga', 'z1399', 'olga', 'what the roster says of "z1399" is derived otherwise'],
  ])('[D4] check of large rosters finds a missing relation: %s with %s', async (a, b, user, what) => {
    const { database } = await phoneBooks()
    await database.del(keys.relation(a, b))
    for (const room of [200_000, 100, 0]) {
      expect((await checkKeeping(room, database)).findings).toEqual([{ user, what }])
    }
  })

  test.each(['relation', 'roster'])(
    '[D4] check finds a difference between a user and one whose %s cannot be read',
    async unreadable => {
      const { database } = await world(await newDatabase('memory'))
      await relation('alice', 'bob', () => ({ isPaired: false }))(database)
      const zoe = unreadable === 'roster' ? keys.snapshot('bob', 'roster') : keys.relation('bob', 'zoe')
      await database.put(zoe, new Uint8Array([9, 9, 9]))
      for (const room of [200_000, 0]) {
        const { findings } = await checkKeeping(room, database)
        expect(findings).toContainEqual({ user: 'alice', what: '"bob" and this user disagree on their pairing' })
        expect(findings).toContainEqual({ user: 'bob', what: expect.stringContaining("can't be read") })
      }
    },
  )

  test('[D4] check of large rosters finds that all relations of a user are missing', async () => {
    const { database } = await phoneBooks()
    for (const writer of ['mia', 'noa']) await database.del(keys.relation('z1001', writer))
    for (const room of [200_000, 100, 0]) {
      const { findings } = await checkKeeping(room, database)
      const what = '"z1001" has another idea of what this roster says'
      expect(findings).toEqual(['mia', 'noa'].map(user => ({ user, what })))
    }
  })
})

describe('[V5] compact', () => {
  test('[V5] after compact, overwritten and removed values are in no file of the folder, and all else is unchanged', async () => {
    const folder = await temporaryFolder()
    const open = (): Promise<LevelDatabase> => openUncompressed(folder)
    let database = await open()
    const { alice, bob, settle } = await world(database)
    const phone = (value: string | undefined): void =>
      alice.edit([{ root: profileRoot, key: profileKey(2, 'writer-of-alice', 'phone'), value }])
    const label = (value: string): void => bob.edit([{ root: 'labels', key: 'alice', value }])
    for (const step of [
      () => phone('secret-overwritten'),
      () => phone('secret-removed'),
      () => label('secret-label'),
      () => phone(undefined),
      () => label('label that stays'),
    ]) {
      step()
      await settle()
    }
    await database.close()
    // The search must find what exists. Otherwise, finding nothing would prove nothing.
    const secrets = ['secret-overwritten', 'secret-removed', 'secret-label']
    for (const secret of secrets) expect(await isInFolder(folder, secret)).toBe(true)
    database = await open()
    const before = await check(database)
    expect(await compact(database)).toEqual({ documents: 3 })
    expect(await check(database)).toEqual(before)
    await database.close()
    for (const secret of secrets) expect([secret, await isInFolder(folder, secret)]).toEqual([secret, false])
    for (const kept of ['label that stays', 'Ada']) expect(await isInFolder(folder, kept)).toBe(true)
    database = await open()
    expect((await check(database)).findings).toEqual([])
    // The second run has nothing to do.
    expect(await compact(database)).toEqual({ documents: 3 })
    await database.close()
  })

  test('[V5] compact also rewrites tables that LevelDB would not rewrite by itself', async () => {
    const folder = await temporaryFolder()
    const record = (text: string): Uint8Array => encodeLevel({ position: 1, fields: encodeFields({ text }) })
    let database = await openUncompressed(folder)
    await database.put(keys.level('alice', 1), record('secret-overwritten'))
    await database.put(keys.level('alice', 1), record('what stays'))
    await database.put(keys.level('alice', 2), record('secret-removed'))
    await database.del(keys.level('alice', 2))
    // All records, old and new, move into one file of a lower level.
    await (database as unknown as { compactRange(from: string, to: string): Promise<void> }).compactRange(
      '\u0000',
      '\uffff',
    )
    await database.close()
    database = await openUncompressed(folder)
    for (const secret of ['secret-overwritten', 'secret-removed']) expect(await isInFolder(folder, secret)).toBe(true)
    await compact(database)
    await database.close()
    for (const secret of ['secret-overwritten', 'secret-removed']) expect(await isInFolder(folder, secret)).toBe(false)
    expect(await isInFolder(folder, 'what stays')).toBe(true)
  })
})

/** Without compression, which could hide a secret from a search for its bytes. */
async function openUncompressed(folder: string): Promise<LevelDatabase> {
  const encodings = { keyEncoding: 'utf8', valueEncoding: 'view' } as const
  const level = new Level<string, Uint8Array>(folder, { ...encodings, compression: false })
  await level.open()
  return level as unknown as LevelDatabase
}

async function isInFolder(folder: string, text: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    if ((await readFile(join(folder, name))).includes(text)) return true
  }
  return false
}
