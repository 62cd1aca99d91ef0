import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Kith, type KithOptions, openKith } from '@kith/client'
import { sqlite } from '@kith/client/sqlite'
import { type SqliteConnection, type SqliteDriver, sqliteOn } from '@kith/client/sqlite-driver'
import Sqlite from 'better-sqlite3'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import {
  betterSqlite3,
  coreOf,
  type Shape,
  SqliteDatabase,
  schemaNumber,
  type Tables,
} from '../support/client-internals.ts'
import { first } from '../support/devices.ts'

/** Behaviour specific to SQLite. `storage-contract.test.ts` covers what it shares with Dexie. */

test('[D1] in Node a folder is all that a device needs, and after a restart it holds what was saved', async () => {
  const { wsUrl: url, issueToken } = await backend()
  const storage = folder()
  const options = { url, token: await issueToken('ada'), user: 'ada' }
  const ada = await closing(openKith({ ...options, storage: sqlite(storage) }))
  await ada.ownProfile.set('name', 'Ada')
  await ada.whenSynced()
  const bob = ada.getProfile('bob')
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([1, 2])
  await ada.disconnect()
  await bob.save()
  await ada.close()
  const again = await closing(openKith({ ...options, storage: sqlite(storage), connect: false }))
  expect(again.ownProfile.get('name')).toBe('Ada')
  expect(await first(again.contacts())).toMatchObject([{ id: 'bob', label: 'Bob', levels: [1, 2] }])
  expect(again.unsent).toBeGreaterThan(0)
  again.connect()
  await again.whenSynced()
  expect(again.unsent).toBe(0)
})

test('a device that is open is refused to a second client with database-in-use, until it is closed', async () => {
  const storage = folder()
  const ada = await open({ storage: sqlite(storage) })
  await expect(open({ storage: sqlite(storage) })).rejects.toMatchObject({ code: 'database-in-use' })
  const bob = await open({ storage: sqlite(storage), user: 'bob' })
  await bob.ownProfile.set('name', 'Bob')
  await ada.close()
  expect((await open({ storage: sqlite(storage) })).ownProfile.fields).toEqual(new Map())
})

test('[D1] a device that is open is refused to other processes, and what a killed process had saved is there', async () => {
  const storage = folder()
  const script = fileURLToPath(new URL('../../torture/dist/device/saves.js', import.meta.url))
  const child = spawn(process.execPath, [script, storage], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close')
  const lines: string[] = []
  const output = createInterface(child.stdout).on('line', line => lines.push(line))
  await expect.poll(() => lines.includes('saved 2'), { timeout: 30_000 }).toBe(true)
  const attempt = open({ url: 'ws://127.0.0.1:9', storage: sqlite(storage) })
  await expect(attempt).rejects.toMatchObject({ code: 'database-in-use' })
  child.kill('SIGKILL')
  await Promise.all([ended, once(output, 'close')])
  const last = Number(
    lines
      .filter(line => line.startsWith('saved '))
      .at(-1)
      ?.slice(6),
  )
  const ada = await open({ url: 'ws://127.0.0.1:9', storage: sqlite(storage) })
  expect(Number(ada.ownProfile.get('round'))).toBeGreaterThanOrEqual(last)
})

test('[D1][D5] when the disk is full save() rejects, nothing changes, and later it works', async () => {
  const { driver, device } = watched(betterSqlite3(folder()))
  const ada = await open({ storage: sqliteOn(driver), WebSocket })
  await ada.ownProfile.set('name', 'Ada')
  const [row] = await device().all('PRAGMA page_count', [])
  await device().all(`PRAGMA max_page_count = ${Number(row?.['page_count']) + 4}`, [])
  const bob = ada.getProfile('bob')
  await bob.loaded
  bob.setLabel('Bob')
  const { unsent } = ada
  const large = ada.ownProfile.set('photo', new Uint8Array(60_000).fill(7))
  await expect(large).rejects.toMatchObject({
    code: 'database-failed',
    message: expect.stringContaining('No room left'),
  })
  expect([ada.ownProfile.fields, ada.unsent]).toEqual([new Map([[0, { name: 'Ada' }]]), unsent])
  await device().all('PRAGMA max_page_count = 1000000', [])
  await bob.save()
  await ada.ownProfile.set('photo', new Uint8Array(60_000).fill(7))
  await ada.close()
  const again = await open({ storage: sqliteOn(driver), WebSocket })
  expect([again.getProfile('bob').label, again.ownProfile.get('name')]).toEqual(['Bob', 'Ada'])
})

test('[D1] every commit waits for the disk', async () => {
  const { driver, device } = watched(betterSqlite3(folder()))
  await open({ storage: sqliteOn(driver), WebSocket })
  const settings = ['synchronous', 'fullfsync', 'journal_mode', 'locking_mode']
  const rows = await Promise.all(settings.map(async name => (await device().all(`PRAGMA ${name}`, []))[0]))
  const extra = 3
  expect(rows).toEqual([
    { synchronous: extra },
    { fullfsync: 1 },
    { journal_mode: 'wal' },
    { locking_mode: 'exclusive' },
  ])
})

test('a damaged file is reported as database-failed, which says what to do, and is left as it is', async () => {
  const storage = folder()
  const ada = await open({ storage: sqlite(storage) })
  for (let count = 0; count < 20; count++) await ada.ownProfile.set('text', `${count}`.repeat(2_000))
  await ada.close()
  const file = join(storage, deviceFile(storage))
  const sound = readFileSync(file)
  for (const damage of [
    (): void => writeFileSync(file, 'this is no database, and never was one: '.repeat(100)),
    (): void => overwrite(file, 100, Buffer.alloc(sound.length - 100, 0xa5)),
  ]) {
    damage()
    const damaged = readFileSync(file)
    const opening = open({ storage: sqlite(storage) })
    await expect(opening).rejects.toMatchObject({
      code: 'database-failed',
      message: expect.stringContaining('damaged'),
    })
    expect(readFileSync(file).equals(damaged)).toBe(true)
    writeFileSync(file, sound)
  }
  expect((await open({ storage: sqlite(storage) })).ownProfile.get('text')).toBe('19'.repeat(2_000))
})

test.each(['layout', 'rows'])(
  '[D1] a file whose %s a later version has changed is refused, and not one byte of it changes',
  async what => {
    const storage = folder()
    const device = await open({ storage: sqlite(storage) })
    if (what === 'rows') await coreOf(device).store.db.meta.put({ key: 'schema', value: 3 })
    await device.close()
    const file = join(storage, deviceFile(storage))
    const db = new Sqlite(file)
    if (what === 'layout') db.pragma('user_version = 99')
    db.pragma('journal_mode = DELETE') // A later version may keep its file without a write-ahead log.
    db.close()
    const before = readFileSync(file)
    await expect(open({ storage: sqlite(storage) })).rejects.toMatchObject({
      code: 'database-newer',
      message: expect.stringContaining('nothing was changed'),
    })
    expect(readFileSync(file).equals(before)).toBe(true)
  },
)

test.each([
  ['with schema 1', (meta: Tables['meta']) => meta.put({ key: 'schema', value: 1 })],
  ['without a schema', (meta: Tables['meta']) => meta.delete('schema')],
])('[D1] a file %s is migrated when it is opened, and what was unsent stays', async (_, makeOlder) => {
  const storage = folder()
  const before = await open({ storage: sqlite(storage) })
  await before.ownProfile.set('name', 'Ada')
  await makeOlder(coreOf(before).store.db.meta)
  await before.close()
  const after = await open({ storage: sqlite(storage) })
  expect([after.unsent, after.ownProfile.get('name')]).toEqual([1, 'Ada'])
  expect(await coreOf(after).store.db.meta.get('schema')).toEqual({ key: 'schema', value: schemaNumber })
})

/** A file with one table, of the layout to which these steps lead. */
async function openLayout(
  driver: SqliteDriver,
  options: Partial<ConstructorParameters<typeof SqliteDatabase<{ outbox: Shape }>>[1]> = {},
): Promise<SqliteDatabase<{ outbox: Shape }>> {
  const shapes = { outbox: { name: 'outbox', key: 'seq', isNumbered: true } } as const
  const db = new SqliteDatabase('mine', { ...{ driver, file: 'mine', shapes, isExclusive: true }, ...options })
  onTestFinished(async () => void (await db.close()))
  await db.open()
  return db
}

const addColumn = ['ALTER TABLE outbox ADD COLUMN later INTEGER']
const fillColumn = ['UPDATE outbox SET later = 7', 'CREATE INDEX outbox_later ON outbox (later)']

test('[D1] a file of an earlier layout is migrated step by step, keeps its rows, and is then refused to earlier versions', async () => {
  const storage = folder()
  const driver = betterSqlite3(storage)
  const first = await openLayout(driver)
  await first.tables().outbox.put({ seq: 5, text: 'unsent' })
  await first.close()
  const histories = [[addColumn], [addColumn, fillColumn], [addColumn, fillColumn]]
  for (const [index, layoutSteps] of histories.entries()) {
    const later = await openLayout(driver, { layoutSteps })
    const { outbox } = later.tables()
    expect(await outbox.toArray()).toEqual([{ seq: 5, text: 'unsent' }])
    expect(await outbox.add({ text: 'next' })).toBe(6 + index)
    await outbox.delete(6 + index)
    await later.close()
    await expect(openLayout(driver)).rejects.toMatchObject({ code: 'database-newer' })
  }
  const raw = new Sqlite(join(storage, 'mine'))
  onTestFinished(() => void raw.close())
  expect(raw.prepare('SELECT later FROM outbox').all()).toEqual([{ later: 7 }])
  expect(raw.pragma('user_version', { simple: true })).toBe(3)
})

test('[D1] a migration that fails changes neither layout nor rows, and the earlier version opens the file again', async () => {
  const driver = betterSqlite3(folder())
  const first = await openLayout(driver)
  await first.tables().outbox.put({ seq: 5, text: 'unsent' })
  await first.close()
  const failing = openLayout(driver, {
    layoutSteps: [addColumn],
    async migrate({ outbox }) {
      await outbox.clear()
      throw new TypeError('a mistake')
    },
  })
  await expect(failing).rejects.toThrow('a mistake')
  const again = await openLayout(driver)
  expect(await again.tables().outbox.toArray()).toEqual([{ seq: 5, text: 'unsent' }])
})

test('of clients that make one file at the same time, one gets it', async () => {
  const driver = betterSqlite3(folder())
  const opened = await Promise.allSettled(Array.from({ length: 4 }, () => openLayout(driver)))
  expect(opened.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
})

test('a folder that cannot be made is reported as database-failed', async () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  await expect(open({ storage: sqlite(join(file, 'below')) })).rejects.toMatchObject({ code: 'database-failed' })
})

test('only the owner may read the files, and erase() deletes the user’s and no other', async () => {
  const storage = join(folder(), 'made', 'when needed')
  const [ada, bob] = [await open({ storage: sqlite(storage) }), await open({ storage: sqlite(storage), user: 'bob' })]
  await ada.ownProfile.set('name', 'Ada')
  expect(statSync(storage).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(storage))
    expect([file, statSync(join(storage, file)).mode & 0o777]).toEqual([file, 0o600])
  await ada.erase({ force: true })
  await bob.close()
  expect(readdirSync(storage).filter(file => file.includes('-ada-'))).toEqual([])
  expect(readdirSync(storage).filter(file => file.includes('-bob-')).length).toBe(1)
})

test('[D1] processes that make the register of devices at the same time share one, and none loses what it noted', async () => {
  const shared = folder()
  const urls = Array.from({ length: 6 }, (_, index) => `ws://${index}`)
  await Promise.all(
    urls.map(url =>
      sqliteOn(slowBehindCommits(betterSqlite3(shared))).register('rw', async ({ visits }) =>
        visits.put({ url, user: 'ada' }),
      ),
    ),
  )
  const found = await sqlite(shared).register('r', async ({ visits }) => visits.toArray())
  expect(found.map(({ url }) => url).sort()).toEqual(urls)
})

test('[V5] a value that was overwritten, and compacted away, is nowhere in the file', async () => {
  const storage = folder()
  const ada = await open({ storage: sqlite(storage) })
  await ada.ownProfile.set('name', 'a secret that was erased')
  const isThere = (): boolean =>
    readdirSync(storage).some(file => readFileSync(join(storage, file)).includes('a secret'))
  expect(isThere()).toBe(true)
  await ada.ownProfile.set('name', 'Ada')
  for (let count = 0; count < 200; count++) await ada.ownProfile.set('count', count)
  const { store } = coreOf(ada)
  await store.work(async ({ db }) => void (await db.outbox.clear())) // As if the server had acknowledged all.
  await ada.close()
  expect(isThere()).toBe(false)
})

test('while one change after the other is saved, or one read follows the other, the rest of the process goes on', async () => {
  const ada = await open({ storage: sqlite(folder()) })
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  for (let count = 0; count < 50; count++) await ada.ownProfile.set('count', count)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(10)
  let isOver = false
  setTimeout(() => {
    isOver = true
  }, 5)
  while (!isOver) await coreOf(ada).store.use(db => db.outbox.count())
})

test('[D1] a transaction in which a write failed is not committed, even if the error was caught', async () => {
  const db = sqlite(folder()).database('mine')
  onTestFinished(async () => void (await db.close()))
  await db.open()
  const row = { document: 'roster', update: new Uint8Array(), changes: new Uint8Array() } as const
  await db.outbox.put({ seq: 1, ...row })
  const failing = db.transact('rw', async ({ meta, outbox }) => {
    await meta.put({ key: 'a', value: 1 })
    await Promise.resolve(outbox.add({ seq: 1, ...row })).catch(() => undefined)
  })
  await expect(failing).rejects.toMatchObject({ code: 'database-failed' })
  expect(await db.meta.count()).toBe(0)
})

test('wrong options for storage are TypeErrors', async () => {
  expect(() => sqlite('')).toThrow(TypeError)
  expect(() => sqlite(undefined as never)).toThrow(TypeError)
  const storage = sqlite(folder())
  await expect(open({ storage, indexedDB: new IDBFactory() })).rejects.toThrow(TypeError)
  await expect(open({ storage: './data' as never })).rejects.toThrow(TypeError)
})

/** A driver that continues 50 ms after each commit, so that other work runs in between. */
function slowBehindCommits(inner: SqliteDriver): SqliteDriver {
  return {
    async open(name) {
      const { run, ...rest } = await inner.open(name)
      return {
        ...rest,
        async run(sql, values) {
          await run(sql, values)
          if (sql === 'COMMIT') await new Promise(resolve => setTimeout(resolve, 50))
        },
      }
    },
    remove: name => inner.remove(name),
  }
}

/** A driver, and its last connection to the device's own file. */
function watched(inner: SqliteDriver): { driver: SqliteDriver; device(): SqliteConnection } {
  const connections = new Map<boolean, SqliteConnection>()
  const driver: SqliteDriver = {
    async open(name) {
      const connection = await inner.open(name)
      connections.set(name.includes('-ada-'), connection)
      return connection
    },
    remove: name => inner.remove(name),
  }
  return { driver, device: () => connections.get(true) as SqliteConnection }
}

async function open(options: Partial<KithOptions> & Pick<KithOptions, 'storage'>): Promise<Kith> {
  return closing(openKith({ url: 'ws://127.0.0.1:9', token: 'none', user: 'ada', connect: false, ...options }))
}

async function closing(opening: Promise<Kith>): Promise<Kith> {
  const kith = await opening
  onTestFinished(() => kith.close())
  return kith
}

function deviceFile(storage: string): string {
  return readdirSync(storage).find(file => file.includes('-ada-')) as string
}

function overwrite(file: string, position: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, position)
  closeSync(descriptor)
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'kith-sqlite-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}
