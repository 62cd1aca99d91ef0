import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ContactSynchronizer } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { next, openDevice, settle } from '../support/process-devices.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Real processes, real LevelDB, real sockets; the client on IndexedDB in memory. */

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function server(options: Parameters<typeof startServerProcess>[0] = {}): Promise<ServerProcess> {
  const process = await startServerProcess(options)
  onTestFinished(() => process.stop())
  return process
}

async function command(name: string, folder: string): Promise<{ code: number; stdout: string }> {
  const run = promisify(execFile)(process.execPath, [serverProgram, name, '--data', folder])
  return run.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  )
}

test('two devices and a follower: a grant, a field, and the follower sees it at once', async () => {
  const kith = await server()
  const [phone, laptop, bob] = [
    await openDevice(kith, 'alice'),
    await openDevice(kith, 'alice'),
    await openDevice(kith, 'bob'),
  ]
  const contact = phone.getProfile('bob')
  contact.setProfileAccessLevels([2])
  await contact.save()
  await phone.ownProfile.set('phone', '+441632960001', { level: 2 })
  await settle(phone, laptop, bob)
  expect(bob.getProfile('alice').get('phone')).toBe('+441632960001')
  expect(laptop.ownProfile.get('phone', { level: 2 })).toBe('+441632960001')
  expect(laptop.getProfile('bob').accessLevels).toEqual([2])
  const heard = next(bob, 'profile')
  await laptop.ownProfile.set('phone', '+441632960002', { level: 2 })
  expect(await heard).toBe('alice')
  expect(bob.getProfile('alice').get('phone')).toBe('+441632960002')
})

test('[D2][D3][D4] kill -9 loses nothing for which whenSynced had resolved, also no removal', async () => {
  const folder = await temporaryFolder()
  let kith = await server({ folder })
  const port = Number(new URL(kith.url).port)
  const alice = await openDevice(kith, 'alice', { token: () => kith.token('alice') })
  const people = Array.from({ length: 40 }, (_, index) => `friend-${index}`)
  const synchronizer = new ContactSynchronizer(alice)
  synchronizer.subscribe(true)
  synchronizer.setProfileAccessLevels([1, 2])
  await synchronizer.sync(people)
  await alice.ownProfile.set('name', 'Ada')
  await alice.ownProfile.set('secret', 'erased', { level: 1 })
  await alice.whenSynced()
  await alice.getProfile('friend-0').remove()
  await alice.ownProfile.unset('secret', { level: 1 })
  const blocked = alice.getProfile('friend-1')
  blocked.block(true)
  await blocked.save()
  await alice.whenSynced()
  for (let round = 0; round < 3; round++) {
    // A write is in progress when the server dies.
    const writing = alice.ownProfile.set(`round ${round}`, round)
    await kith.kill()
    await writing
    expect(await command('check', folder)).toMatchObject({ code: 0 })
    kith = await server({ folder, port })
    await alice.whenSynced()
  }
  await kith.kill()
  kith = await server({ folder, port })
  const laptop = await openDevice(kith, 'alice', { token: () => kith.token('alice') })
  await laptop.whenSynced()
  expect(laptop.ownProfile.fields.get(0)).toEqual({ name: 'Ada', 'round 0': 0, 'round 1': 1, 'round 2': 2 })
  expect(laptop.ownProfile.fields.has(1)).toBe(false)
  expect(laptop.getProfile('friend-0')).toMatchObject({ isContact: false, isSubscribed: false, accessLevels: [] })
  expect(laptop.getProfile('friend-1')).toMatchObject({ isBlocked: true })
  expect(laptop.getProfile('friend-2')).toMatchObject({ isSubscribed: true, accessLevels: [1, 2] })
  await laptop.whenSynced()
  await kith.stop()
  expect(await command('check', folder)).toMatchObject({ code: 0 })
})

test('[V5] values overwritten or erased before a grant reach no new viewer, and are in no file after compact', async () => {
  const folder = await temporaryFolder()
  const kith = await server({ folder })
  const alice = await openDevice(kith, 'alice')
  const bob = await openDevice(kith, 'bob')
  bob.getProfile('alice')
  await settle(alice, bob)
  const [overwritten, erased, kept] = ['overwritten-0f3a', 'erased-77b1', 'kept-51c9']
  await alice.ownProfile.set('address', overwritten, { level: 5 })
  await alice.ownProfile.set('note', erased, { level: 5 })
  await alice.whenSynced()
  await alice.ownProfile.set('address', kept, { level: 5 })
  await alice.ownProfile.unset('note', { level: 5 })
  await alice.whenSynced()
  const grant = alice.getProfile('bob')
  grant.setProfileAccessLevels([5])
  await grant.save()
  await settle(alice, bob)
  const laptop = await openDevice(kith, 'alice')
  await laptop.whenSynced()
  expect(bob.getProfile('alice').fields).toEqual({ address: kept })
  for (const secret of [overwritten, erased]) {
    expect(bob.received.contains(secret)).toBe(false)
    expect(laptop.received.contains(secret)).toBe(false)
  }
  expect(bob.received.contains(kept)).toBe(true)
  await kith.stop()
  expect(await filesWith(folder, overwritten)).not.toEqual([])
  expect(await command('compact', folder)).toMatchObject({ code: 0 })
  expect(await filesWith(folder, kept)).not.toEqual([])
  expect(await filesWith(folder, overwritten)).toEqual([])
  expect(await filesWith(folder, erased)).toEqual([])
  expect(await command('check', folder)).toMatchObject({ code: 0 })
})

test('[V6][V7] a level revoked offline before an edit: no byte of the new value goes to the former viewer', async () => {
  const kith = await server()
  const alice = await openDevice(kith, 'alice')
  const indexedDB = new IDBFactory()
  const bob = await openDevice(kith, 'bob', { indexedDB })
  const contact = alice.getProfile('bob')
  contact.setProfileAccessLevels([5])
  await contact.save()
  await alice.ownProfile.set('address', 'the-old-address', { level: 5 })
  await alice.ownProfile.set('name', 'Alice')
  await settle(alice, bob)
  expect(bob.getProfile('alice').fields).toEqual({ address: 'the-old-address', name: 'Alice' })
  alice.disconnect()
  contact.setProfileAccessLevels([])
  await contact.save()
  await alice.ownProfile.set('address', 'the-new-address', { level: 5 })
  const withdrawn = next(bob, 'withdrawn')
  alice.connect()
  await settle(alice, bob)
  expect(await withdrawn).toBe('alice')
  expect(bob.received.contains('the-new-address')).toBe(false)
  expect(bob.getProfile('alice').fields).toEqual({ name: 'Alice' })
  await bob.close()
  const again = await openDevice(kith, 'bob', { indexedDB, connect: false })
  const profile = again.getProfile('alice')
  await profile.loaded
  expect(profile.fields).toEqual({ name: 'Alice' })
})

test('[V5][V6] a field erased offline before a grant is not shown for a moment', async () => {
  const kith = await server()
  const [alice, bob] = [await openDevice(kith, 'alice'), await openDevice(kith, 'bob')]
  bob.getProfile('alice')
  await alice.ownProfile.set('address', 'before-the-grant', { level: 5 })
  await settle(alice, bob)
  alice.disconnect()
  await alice.ownProfile.unset('address', { level: 5 })
  const contact = alice.getProfile('bob')
  contact.setProfileAccessLevels([5])
  await contact.save()
  alice.connect()
  await settle(alice, bob)
  expect(alice.getProfile('bob').accessLevels).toEqual([5])
  expect(bob.received.contains('before-the-grant')).toBe(false)
})

test('[F3] a new user is not announced to users whom they blocked before their first connection', async () => {
  const kith = await server()
  const bob = await openDevice(kith, 'bob')
  bob.getProfile('alice')
  await bob.whenSynced()
  const alice = await openDevice(kith, 'alice', { connect: false })
  await alice.ownProfile.set('name', 'hidden-from-bob')
  const contact = alice.getProfile('bob')
  contact.block(true)
  await contact.save()
  let hasJoined = false
  bob.on('joined', () => {
    hasJoined = true
  })
  alice.connect()
  await settle(alice, bob)
  expect(hasJoined).toBe(false)
  expect(bob.getProfile('alice').hasJoined).toBe(false)
  expect(bob.received.contains('hidden-from-bob')).toBe(false)
})

async function filesWith(folder: string, text: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const file of files) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    if ((await readFile(path)).includes(text)) found.push(file.name)
  }
  return found
}
