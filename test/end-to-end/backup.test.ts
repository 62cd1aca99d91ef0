import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { check, openLevelDatabase, openLevelStore, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
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

/** The names in a folder of backups, complete or not. */
async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort()
}

async function tablesIn(backup: string): Promise<string[]> {
  return (await readdir(join(backup, 'store'))).filter(name => /\.(ldb|sst)$/.test(name))
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

test('[D4] a table of the same number and size with another end is copied', async () => {
  const [one, backups] = [await folderOfTwo(), await temporaryFolder()]
  const before = new Harmed(await addBackup(one.folder, backups, { nowMs: 1 }))
  const [table = ''] = await tablesIn(before.folder)
  await before.flip(join('store', table), (await before.read(join('store', table))).length - 60)
  const after = await addBackup(one.folder, backups, { nowMs: 2 })
  expect(await findDamage(after)).toEqual([])
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

test('what a killed backup left is removed by the next one, and no more backups are kept than were asked for', async () => {
  const [{ folder }, backups] = [await folderOfTwo(), await temporaryFolder()]
  // No process has this id, because it is above the largest that Linux assigns.
  await mkdir(join(backups, 'unfinished-4194305'))
  await mkdir(join(backups, 'of somebody else'))
  for (const nowMs of [1, 2, 3]) await addBackup(folder, backups, { nowMs, keep: 2 })
  const kept = ['1970-01-01T00-00-00.002Z', '1970-01-01T00-00-00.003Z', 'of somebody else']
  expect(await namesIn(backups)).toEqual(kept)
})

test.each([
  [['backup'], {}, /name one folder for the backups/],
  [['backup', 'b', '--keep', '0'], {}, /--keep takes a number from 1 on/],
  [['backup', 'b', '--data', '/nonexistent'], {}, /holds no data of Kith/],
  [['backup', 'b'], { KITH_DATABASE_URL: 'postgres://db/kith' }, /use pg_basebackup/],
])('the command line %j is answered by what to do', async (args, env, said) => {
  const running = promisify(execFile)(process.execPath, [serverProgram, ...args], {
    cwd: await temporaryFolder(),
    env: { PATH: process.env['PATH'], ...env },
  })
  await expect(running).rejects.toMatchObject({ stderr: expect.stringMatching(said) })
})
