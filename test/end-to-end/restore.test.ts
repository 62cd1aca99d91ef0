import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { check, createServer, openLevelDatabase, openLevelStore, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import { Level } from 'level'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { folderOfTwo, Harmed } from '../support/damaged-folders.ts'
import { openDevice, settle } from '../support/process-devices.ts'
import { addBackup, decodeUser, partsOf, ranges, restore } from '../support/server-internals.ts'
import { temporaryFolder } from '../support/stores.ts'

// Starting processes takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

/** Starts a server process, on the port of the previous one if there is one. It ends with the test. */
async function serve(folder: string, before?: ServerProcess): Promise<ServerProcess> {
  const server = await startServerProcess({ folder, ...(before && { port: Number(new URL(before.url).port) }) })
  onTestFinished(() => server.kill())
  return server
}

interface Lost {
  backup: string
  server: ServerProcess
  /** The storage of the owner's device. */
  ada: IDBFactory
}

/**
 * Ada shows Bob her phone number. A backup is made, `since` runs, and the server's disk is lost. Carol, a viewer who follows
 * Ada, has also been connected.
 */
async function lose(since: (ada: Awaited<ReturnType<typeof openDevice>>) => Promise<unknown>): Promise<Lost> {
  const [folder, backups, ada] = [await temporaryFolder(), await temporaryFolder(), new IDBFactory()]
  const server = await serve(folder)
  const [owner, viewer, follower] = [
    await openDevice(server, 'ada', { indexedDB: ada }),
    await openDevice(server, 'bob'),
    await openDevice(server, 'carol'),
  ]
  // A history that the device states by its digest when it returns.
  for (let count = 0; count < 20; count++) await owner.setPublicAudience(count % 2 ? 'everyone' : 'contacts')
  await owner.ownProfile.set('name', 'Ada')
  await owner.ownProfile.set('phone', '+441632960001', { level: 2 })
  await owner.getProfile('bob').setProfileAccessLevels([2]).save()
  await follower.getProfile('ada').subscribe(true).save()
  await settle(owner, viewer, follower)
  expect(viewer.getProfile('ada').fields).toEqual({ name: 'Ada', phone: '+441632960001' })
  const backup = await addBackup(folder, backups, { nowMs: 1 })
  await since(owner)
  await owner.whenSynced()
  for (const device of [owner, viewer, follower]) await device.close()
  await server.kill()
  await rm(folder, { recursive: true })
  return { backup, server, ada }
}

async function runRestore(backup: string, ...options: string[]): Promise<{ folder: string; said: string }> {
  const folder = join(await temporaryFolder(), 'data')
  const run = promisify(execFile)(process.execPath, [serverProgram, 'restore', backup, '--data', folder, ...options])
  return { folder, said: (await run).stdout }
}

/** Restores as the command does, in this process. */
async function restoreTo(backup: string, isTrusted = false): Promise<string> {
  const folder = join(await temporaryFolder(), 'data')
  await restore(backup, folder, { nowMs: Date.now(), isTrusted })
  return folder
}

async function isSound(folder: string): Promise<void> {
  const database = await openLevelDatabase(folder, true)
  expect((await check(database)).findings).toEqual([])
  await database.close()
}

test('[V1][V6] a grant that was revoked after the backup is not shown by a store that was restored from it', async () => {
  const { backup, server, ada } = await lose(owner => owner.getProfile('bob').setProfileAccessLevels([]).save())
  const { folder, said } = await runRestore(backup)
  expect(said).toContain('3 users are shown to nobody until a device of theirs has connected')
  await isSound(folder)
  const restored = await serve(folder, server)
  const bob = await openDevice(restored, 'bob')
  const profile = bob.getProfile('ada')
  await settle(bob)
  expect(profile.fields).toEqual({})
  await openDevice(restored, 'ada', { indexedDB: ada }).then(settle)
  await settle(bob)
  expect(profile.fields).toEqual({ name: 'Ada' })
  expect(bob.received.contains('+441632960001')).toBe(false)
  await restored.stop()
  await isSound(folder)
})

test('[V1] with --trust a restored store shows what the backup has, a grant that was revoked since among it', async () => {
  const { backup, server } = await lose(owner => owner.getProfile('bob').setProfileAccessLevels([]).save())
  const { folder, said } = await runRestore(backup, '--trust')
  expect(said).not.toContain('shown to nobody')
  const bob = await openDevice(await serve(folder, server), 'bob')
  const profile = bob.getProfile('ada')
  await settle(bob)
  expect(profile.fields).toEqual({ name: 'Ada', phone: '+441632960001' })
})

test('[F1][F3] an owner whose device has nothing new is shown again when it returns, and is not announced as new', async () => {
  const { backup, server, ada } = await lose(async () => undefined)
  const restored = await serve(await restoreTo(backup), server)
  const carol = await openDevice(restored, 'carol')
  const joined: string[] = []
  carol.on('joined', ({ id }) => joined.push(id))
  const profile = carol.getProfile('ada')
  await settle(carol)
  expect(profile.fields).toEqual({})
  await openDevice(restored, 'ada', { indexedDB: ada }).then(settle)
  await settle(carol)
  expect(profile.fields).toEqual({ name: 'Ada' })
  expect(joined).toEqual([])
})

test('[V1] the backend has one owner shown again by what the backup has', async () => {
  const { backup, server } = await lose(async () => undefined)
  const restored = await serve(await restoreTo(backup), server)
  const bob = await openDevice(restored, 'bob')
  const profile = bob.getProfile('ada')
  await settle(bob)
  expect(profile.fields).toEqual({})
  expect((await restored.admin('PUT', '/v1/users/ada', {})).status).toBe(201)
  await settle(bob)
  expect(profile.fields).toEqual({ name: 'Ada', phone: '+441632960001' })
})

test('[F1] a restore without trust gives out one position, in a run of its own, and leaves the backup as it was', async () => {
  const { backup } = await lose(async () => undefined)
  const [trusted, withheld] = [await restoredAt(backup, true), await restoredAt(backup, false)]
  expect(withheld.position).toBe(trusted.position + 1)
  expect(withheld.runStart).toBe(trusted.position)
  expect(trusted.runStart).toBeLessThan(trusted.position)
  await isSound(backup)
})

test('[V1] a restore without trust counts every user as not registered; one with trust keeps them registered', async () => {
  const { backup } = await lose(async () => undefined)
  expect(await registeredIn(await restoreTo(backup, true))).toEqual(['ada', 'bob', 'carol'])
  expect(await registeredIn(await restoreTo(backup, false))).toEqual([])
})

/** Users whose profiles the store may show. */
async function registeredIn(folder: string): Promise<string[]> {
  const database = await openLevelDatabase(folder, true)
  const registered: string[] = []
  for await (const [key, bytes] of database.iterator(ranges.users))
    if (decodeUser(bytes).registeredAt > 0) registered.push(partsOf(key)[1] ?? '')
  await database.close()
  return registered
}

/** The position of a restored store, and the start of its last run. */
async function restoredAt(backup: string, isTrusted: boolean): Promise<{ position: number; runStart: number }> {
  const folder = await restoreTo(backup, isTrusted)
  const database = await openLevelDatabase(folder, true)
  const [position, runs] = await database.getMany(['meta\u0000position', 'meta\u0000runs'])
  await database.close()
  const read = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes))
  const [last] = (read(runs) as { start: number }[]).slice(-1)
  return { position: read(position) as number, runStart: last?.start ?? Number.NaN }
}

/** A backup of a folder with two users and a secret. */
async function backupOfTwo(): Promise<string> {
  const { folder } = await folderOfTwo()
  await writeFile(join(folder, 'admin-key'), 'the key')
  return addBackup(folder, await temporaryFolder(), { nowMs: 1 })
}

test('[D2] a restore fills an empty folder that exists, which may be the place of a volume', async () => {
  const [backup, folder] = [await backupOfTwo(), await temporaryFolder()]
  await mkdir(join(folder, 'lost+found'))
  const { ino } = await stat(folder)
  await restore(backup, folder, { nowMs: 1, isTrusted: true })
  expect((await stat(folder)).ino).toBe(ino)
  expect((await readdir(folder)).sort()).toEqual(['acknowledged', 'admin-key', 'lost+found', 'store'])
  expect(await registeredIn(folder)).toEqual(['alice', 'bob'])
})

test('[D2] a folder whose restore was killed is not served, and gets no secrets; the next restore removes what was left', async () => {
  const [backup, folder] = [await backupOfTwo(), await temporaryFolder()]
  const left = join(folder, 'restoring', 'content')
  await cp(backup, left, { recursive: true })
  await writeFile(join(left, 'token-secret'), 'of another backup')
  const served = promisify(execFile)(process.execPath, [serverProgram, 'serve', '--port', '0', '--data', folder])
  await expect(served).rejects.toMatchObject({
    stderr: expect.stringMatching(/a restore to .* has not ended: .* run it again .* remove .*restoring/),
  })
  await expect(createServer({ folder })).rejects.toThrow(/has not ended/)
  expect(await readdir(folder)).toEqual(['restoring'])
  await restore(backup, folder, { nowMs: 1, isTrusted: true })
  expect((await readdir(folder)).sort()).toEqual(['acknowledged', 'admin-key', 'store'])
  await isSound(folder)
})

test('[D4] a second restore to a folder does not begin while another process restores there', async () => {
  const [backup, folder] = [await backupOfTwo(), await temporaryFolder()]
  await mkdir(join(folder, 'restoring', 'content'), { recursive: true })
  const other = new Level(join(folder, 'restoring', 'lock'))
  await other.open()
  const second = restore(backup, folder, { nowMs: 1, isTrusted: true })
  await expect(second).rejects.toThrow(/another restore to .* is running: wait for its end/)
  expect((await readdir(join(folder, 'restoring'))).sort()).toEqual(['content', 'lock'])
  await other.close()
})

test.each([true, false])(
  '[D4] a restore of a damaged backup leaves nothing, whether the folder existed (%s) or not',
  async isThere => {
    const [backup, place] = [new Harmed(await backupOfTwo()), await temporaryFolder()]
    await backup.flip(await backup.file('.log'), 3_000)
    if (isThere) await mkdir(join(place, 'data'))
    const restored = restore(backup.folder, join(place, 'data'), { nowMs: 1, isTrusted: true })
    await expect(restored).rejects.toThrow(/\.log is damaged at byte \d+, .*: restore another backup$/)
    expect(await readdir(place)).toEqual(isThere ? ['data'] : [])
    if (isThere) expect(await readdir(join(place, 'data'))).toEqual([])
  },
)

test.each([
  [['restore'], /name one backup/],
  [['restore', 'nothing'], /nothing is not a backup: name a folder that backup made/],
  [['restore', 'backups'], /name one of those in it, as in backups.1970-01-01T00-00-00\.001Z/],
  [['restore', 'backups/1970-01-01T00-00-00.001Z', '--data', 'full'], /full is not empty: stop its server, and move/],
  [
    ['restore', 'backups/1970-01-01T00-00-00.001Z', '--data', 'file'],
    /^kith-server: backups.* was not restored to file \(ENOTDIR: .*\): check that .*\n$/,
  ],
])('the command line %j is answered by what to do, and leaves nothing', async (args, said) => {
  const place = await temporaryFolder()
  const store = await openLevelStore(join(place, 'data'), { limits: defaultLimits, clock: systemClock })
  await store.close()
  await addBackup(join(place, 'data'), join(place, 'backups'), { nowMs: 1 })
  await mkdir(join(place, 'full', 'anything'), { recursive: true })
  await writeFile(join(place, 'file'), '')
  const before = await readdir(place)
  const running = promisify(execFile)(process.execPath, [serverProgram, ...args], { cwd: place })
  await expect(running).rejects.toMatchObject({ stderr: expect.stringMatching(said) })
  expect(await readdir(place)).toEqual(before)
})
