import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { check, openLevelDatabase, openLevelStore, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { Level } from 'level'
import { expect, onTestFinished, test, vi } from 'vitest'
import { serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { folderOfTwo, Harmed } from '../support/damaged-folders.ts'
import { openDevice } from '../support/process-devices.ts'
import { addBackup, findDamage } from '../support/server-internals.ts'
import { temporaryFolder } from '../support/stores.ts'

// Starting processes takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

async function run(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [serverProgram, ...args])).stdout.trim()
}

/** The names in a folder of backups, complete or not, beside its lock. */
async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter(name => name !== 'lock').sort()
}

async function tablesIn(backup: string): Promise<string[]> {
  return (await readdir(join(backup, 'store'))).filter(name => /\.(ldb|sst)$/.test(name))
}

/** A folder with one table. Folders of two seeds differ in values only, which the end of a table does not show. */
async function folderOfValues(seed: number): Promise<string> {
  const folder = await temporaryFolder()
  const level = (): Level<string, Uint8Array> =>
    new Level(join(folder, 'store'), { keyEncoding: 'utf8', valueEncoding: 'view' })
  const db = level()
  await db.open()
  // Values that cannot be compressed, so the blocks have the same sizes. The filter and the index take the last 4,096 bytes.
  const values = Array.from({ length: 4_000 }, (_, index) => createHash('sha512').update(`${seed} ${index}`).digest())
  await db.batch(values.map((value, index) => ({ type: 'put', key: `key-${10_000 + index}`, value })))
  await db.close()
  // The log becomes a table.
  const again = level()
  await again.open()
  await again.close()
  return folder
}

/** Hashes of the last `bytes` bytes of each table, or of all of it. */
async function hashesOfTables(folder: string, bytes?: number): Promise<Record<string, string>> {
  const names = (await tablesIn(folder)).sort()
  const hashOf = (name: string): string => {
    const content = readFileSync(join(folder, 'store', name))
    return createHash('sha256')
      .update(content.subarray(bytes ? -bytes : 0))
      .digest('hex')
  }
  return Object.fromEntries(names.map(name => [name, hashOf(name)]))
}

test('[D2][D4] a backup that is made while a server writes has all that was answered before it began, and check finds nothing', async () => {
  const [folder, backups] = [await temporaryFolder(), await temporaryFolder()]
  const server = await startServerProcess({ folder })
  onTestFinished(() => server.kill())
  const ada = await openDevice(server, 'ada', { indexedDB: new IDBFactory() })
  let answered = 0
  const stop = new AbortController()
  // Pictures of this size fill a log in a few dozen edits, so tables are created and replaced meanwhile.
  const writing = (async () => {
    for (let count = 1; !stop.signal.aborted; count++) {
      const pictures = [1, 2, 3, 4].map(level =>
        ada.ownProfile.set('picture', `${count} ${'x'.repeat(50_000)}`, { level }),
      )
      await Promise.all([...pictures, ada.ownProfile.set('count', count)])
      await ada.whenSynced()
      answered = count
    }
  })()
  const made: { path: string; atLeast: number }[] = []
  for (const tables of [0, 1, 2]) {
    await expect.poll(async () => (await tablesIn(folder)).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(tables)
    const atLeast = answered
    made.push({ path: await run('backup', backups, '--data', folder), atLeast })
  }
  stop.abort()
  await writing
  expect(await namesIn(backups)).toHaveLength(3)
  for (const { path, atLeast } of made) {
    const database = await openLevelDatabase(path, true)
    expect((await check(database)).findings).toEqual([])
    await database.close()
    const store = await openLevelStore(path, { limits: defaultLimits, clock: systemClock })
    const [level] = await store.levels([{ owner: 'ada', level: 0 }])
    const { count = 0 } = level ? decodeFields(level.fields) : {}
    expect(count).toBeGreaterThanOrEqual(atLeast)
    await store.close()
  }
})

test('a table that the backup before has takes no room a second time', async () => {
  const [{ folder }, backups] = [await folderOfTwo(), await temporaryFolder()]
  const first = await addBackup(folder, backups, { nowMs: 1 })
  const second = await addBackup(folder, backups, { nowMs: 2 })
  const tables = await tablesIn(second)
  expect(tables.length).toBeGreaterThan(0)
  for (const name of tables) {
    const inodes = await Promise.all([first, second].map(async one => (await stat(join(one, 'store', name))).ino))
    expect(inodes[0]).toBe(inodes[1])
    expect((await stat(join(folder, 'store', name))).ino).not.toBe(inodes[0])
  }
})

test('[D4] a backup has the tables of the folder, although the previous one has tables of another history with the same number, size and end', async () => {
  const backups = await temporaryFolder()
  const [one, two] = [await folderOfValues(1), await folderOfValues(2)]
  const first = await addBackup(one, backups, { nowMs: 1 })
  const warn = vi.fn()
  const second = await addBackup(two, backups, { nowMs: 2, warn })
  const [tables, others] = [await hashesOfTables(two), await hashesOfTables(one)]
  expect(tables).not.toEqual(others)
  expect(await hashesOfTables(two, 4_096)).toEqual(await hashesOfTables(one, 4_096))
  expect(await hashesOfTables(second)).toEqual(tables)
  expect(await hashesOfTables(first)).toEqual(others)
  expect(warn).not.toHaveBeenCalled()
})

test.each([
  ['in its first block', 100],
  ['at its end', -60],
])(
  '[D4] a table of the previous backup that was damaged since, %s, is copied from the folder, and reported',
  async (_, at) => {
    const [one, backups] = [await folderOfTwo(), await temporaryFolder()]
    const before = new Harmed(await addBackup(one.folder, backups, { nowMs: 1 }))
    const table = await before.file('.ldb')
    await before.flip(table, at < 0 ? (await before.read(table)).length + at : at)
    const warned: string[] = []
    const after = await addBackup(one.folder, backups, { nowMs: 2, warn: what => warned.push(what) })
    expect(await findDamage(after)).toEqual([])
    expect(await hashesOfTables(after)).toEqual(await hashesOfTables(one.folder))
    expect(warned).toEqual([
      expect.stringMatching(/00-00\.001Z.*\.ldb is damaged at byte \d+, .* do not restore .*001Z,/),
    ])
    // The backup after that one links the whole table.
    await addBackup(one.folder, backups, { nowMs: 3, warn: what => warned.push(what) })
    expect(warned).toHaveLength(1)
  },
)

test('[D4] the command names a damaged earlier backup, and makes the new one', async () => {
  const [one, backups] = [await folderOfTwo(), await temporaryFolder()]
  const before = new Harmed(await addBackup(one.folder, backups, { nowMs: 1 }))
  await before.cut(await before.file('.ldb'), 200)
  const running = promisify(execFile)(process.execPath, [serverProgram, 'backup', backups, '--data', one.folder])
  const { stdout, stderr } = await running
  expect(stderr).toContain(`warning: ${before.folder}`)
  expect(await findDamage(stdout.trim())).toEqual([])
})

test('[D4] files that were replaced while the tables were copied are read again', async () => {
  const [{ folder }, backups] = [await folderOfTwo(), await temporaryFolder()]
  const store = join(folder, 'store')
  const manifest = readFileSync(join(store, 'CURRENT'), 'latin1').trim()
  const onProgress = (): void => {
    copyFileSync(join(store, manifest), join(store, 'MANIFEST-000099'))
    writeFileSync(join(store, 'CURRENT'), 'MANIFEST-000099\n')
  }
  const made = await addBackup(folder, backups, { nowMs: 1, onProgress })
  expect(readFileSync(join(made, 'store', 'CURRENT'), 'latin1')).toBe('MANIFEST-000099\n')
})

test('[D4] what is damaged makes no backup, and leaves those before it', async () => {
  const [harmed, backups] = [await folderOfTwo(), await temporaryFolder()]
  const good = await addBackup(harmed.folder, backups, { nowMs: 1 })
  await harmed.flip(await harmed.file('.log'), 3_000)
  await expect(addBackup(harmed.folder, backups, { nowMs: 2 })).rejects.toThrow(
    /\.log is damaged at byte \d+, in the copy and probably in .*: keep the backups before this one/,
  )
  expect(await namesIn(backups)).toEqual(['1970-01-01T00-00-00.001Z'])
  expect(await findDamage(good)).toEqual([])
})

test('[D4] the next backup removes what a killed backup left, whatever it contains, and keeps no more backups than requested', async () => {
  const [{ folder }, backups] = [await folderOfTwo(), await temporaryFolder()]
  await mkdir(join(backups, 'of somebody else'))
  const [table = ''] = await tablesIn(folder)
  for (const nowMs of [1, 2, 3]) {
    // A table with the name and size of the right one, of which a part was never written.
    await mkdir(join(backups, 'unfinished', 'store'), { recursive: true })
    const bytes = readFileSync(join(folder, 'store', table)).fill(0, 100, 200)
    writeFileSync(join(backups, 'unfinished', 'store', table), bytes)
    writeFileSync(join(backups, 'unfinished', 'token-secret'), 'of another server')
    const made = await addBackup(folder, backups, { nowMs, keep: 2 })
    expect(await hashesOfTables(made)).toEqual(await hashesOfTables(folder))
    expect(await readdir(made)).not.toContain('token-secret')
  }
  const kept = ['1970-01-01T00-00-00.002Z', '1970-01-01T00-00-00.003Z', 'of somebody else']
  expect(await namesIn(backups)).toEqual(kept)
})

test('[D4] a second backup does not begin in a folder while another process makes one there, and changes nothing', async () => {
  const [{ folder }, backups] = [await folderOfTwo(), await temporaryFolder()]
  await mkdir(join(backups, 'unfinished'))
  const other = new Level(join(backups, 'lock'))
  await other.open()
  const said = /another backup is being made in .*: wait for its end/
  await expect(run('backup', backups, '--data', folder)).rejects.toMatchObject({ stderr: expect.stringMatching(said) })
  await expect(addBackup(folder, backups, { nowMs: 1 })).rejects.toThrow(said)
  expect(await namesIn(backups)).toEqual(['unfinished'])
  await other.close()
  await run('backup', backups, '--data', folder)
  expect(await namesIn(backups)).toEqual([expect.stringMatching(/Z$/)])
})

test.each([
  [['backup'], {}, /name one folder for the backups/],
  [['backup', 'b', '--keep', '0'], {}, /--keep takes a number from 1 on/],
  [['backup', 'b', '--data', '/nonexistent'], {}, /holds no data of Kith/],
  [
    ['backup', 'file', '--data', 'data'],
    {},
    /^kith-server: no backup of data was made in file \(EEXIST: .*\): check that .*\n$/,
  ],
  [['backup', 'b'], { KITH_DATABASE_URL: 'postgres://db/kith' }, /use pg_basebackup/],
])('the command line %j is answered by what to do', async (args, env, said) => {
  const cwd = await temporaryFolder()
  await mkdir(join(cwd, 'data', 'store'), { recursive: true })
  for (const name of ['file', 'data/store/CURRENT']) writeFileSync(join(cwd, name), '')
  const running = promisify(execFile)(process.execPath, [serverProgram, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  })
  await expect(running).rejects.toMatchObject({ stderr: expect.stringMatching(said) })
})
