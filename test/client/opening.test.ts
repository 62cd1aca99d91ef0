import { openKith } from '@kith/client'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { first, installation } from '../support/devices.ts'
import { countDatabases, withDatabase } from '../support/storage.ts'

test('the user is the one passed, otherwise the token’s, otherwise that of the last visit to this url', async () => {
  const { issueToken, wsUrl, token } = await backend()
  const indexedDB = new IDBFactory()
  const options = { url: wsUrl, indexedDB, IDBKeyRange, WebSocket }
  const source = (): Promise<string> => issueToken('alice')
  const open = async (extra: object): Promise<string> => {
    const kith = await openKith({ ...options, token: source, ...extra })
    await kith.close()
    return kith.user
  }
  await expect(open({ connect: false })).rejects.toMatchObject({ code: 'user-required' })
  expect(await open({})).toBe('alice')
  expect(await open({ connect: false })).toBe('alice')
  expect(await open({ token: () => Promise.reject(new Error('no network')) })).toBe('alice')
  expect(await open({ token: await token('bob'), connect: false })).toBe('bob')
  expect(await open({ connect: false })).toBe('bob')
  expect(await open({ connect: false, user: ' carol ' })).toBe('carol')
})

test('a database belongs to one user', async () => {
  const phone = installation('alice')
  await (await phone.open({ databaseName: 'mine' })).close()
  await expect(phone.open({ user: 'bob', databaseName: 'mine' })).rejects.toMatchObject({ code: 'wrong-user' })
  expect((await phone.open({ databaseName: 'mine' })).user).toBe('alice')
})

test('wrong options are TypeErrors', async () => {
  const open = installation('alice').open
  await expect(open({ url: 'http://127.0.0.1:1' })).rejects.toThrow(TypeError)
  await expect(open({ token: 7 as never })).rejects.toThrow(TypeError)
  await expect(open({ user: '..' })).rejects.toThrow(TypeError)
  await expect(open({ connect: 'yes' as never })).rejects.toThrow(TypeError)
})

test('erase() deletes everything on this device, and rejects while changes are on no server', async () => {
  const { open } = await backend()
  const indexedDB = new IDBFactory()
  const alice = await open('alice', { indexedDB, connect: false })
  await alice.ownProfile.set('name', 'Ada')
  await expect(alice.erase()).rejects.toMatchObject({ code: 'unsent-changes' })
  expect(alice.ownProfile.get('name')).toBe('Ada')
  await alice.erase({ force: true })
  expect(await countDatabases(indexedDB)).toBe(0)

  const again = await open('alice', { indexedDB })
  expect(again.ownProfile.get('name')).toBeUndefined()
  await again.ownProfile.set('name', 'Ada')
  await again.whenSynced()
  await again.erase()
  const third = await open('alice', { indexedDB })
  await third.whenSynced()
  expect(third.ownProfile.get('name')).toBe('Ada')
})

test('[D1] erase() without force deletes no change that any tab of the device has saved', async () => {
  const shared = { indexedDB: new IDBFactory(), ...sharedByTabs(), connect: false }
  const { open } = await backend()
  const [one, two] = [await open('alice', shared), await open('alice', shared)]
  await two.ownProfile.set('name', 'Ada')
  await expect(one.erase()).rejects.toMatchObject({ code: 'unsent-changes' })
  await one.ownProfile.set('mood', 'well')
  expect(two.ownProfile.get('name')).toBe('Ada')
})

test('[D1] erase() without force deletes no change whose save resolves, however late it is called', async () => {
  const ends = new Set<string>()
  for (let wait = 0; wait < 12; wait++) {
    const alice = await installation('alice').open()
    const bob = alice.getProfile('bob').setLabel('Bob')
    await bob.loaded
    await coreOf(alice).store.work(({ db }) => db.outbox.clear() as Promise<void>)
    const erased = alice.erase().then(() => 'erased', codeOf)
    for (let turn = 0; turn < wait; turn++) await Promise.resolve()
    const saved = bob.save().then(() => 'saved', codeOf)
    const [erasure, save] = await Promise.all([erased, saved])
    ends.add(`${erasure}, ${save}`)
    if (erasure === 'erased') continue
    // The client is still open.
    await bob.setLabel('Robert').save()
    expect([bob.label, alice.unsent]).toEqual(['Robert', 2])
  }
  expect(new Set([...ends, 'erased, closed', 'unsent-changes, saved'])).toEqual(
    new Set(['erased, closed', 'unsent-changes, saved']),
  )
})

test('[D1] erase() of a device whose database is lost meanwhile restores and counts the unsent changes', async () => {
  const device = installation('alice')
  const alice = await device.open({ databaseName: 'mine' })
  await alice.ownProfile.set('name', 'Ada')
  const erased = alice.erase().catch(codeOf)
  await done(device.indexedDB.deleteDatabase('mine'))
  expect(await erased).toBe('unsent-changes')
  await alice.ownProfile.set('mood', 'well')
  expect([alice.unsent, alice.ownProfile.get('name')]).toEqual([2, 'Ada'])
})

const codeOf = (error: { code: string }): string => error.code

test('erase() forgets the device’s user, but not another user who was here since', async () => {
  const { open, issueToken, wsUrl } = await backend()
  const indexedDB = new IDBFactory()
  const nobody = (): Promise<unknown> =>
    openKith({ url: wsUrl, indexedDB, IDBKeyRange, WebSocket, token: () => issueToken('x'), connect: false })
  const alice = await open('alice', { indexedDB, connect: false })
  await alice.erase({ force: true })
  await expect(nobody()).rejects.toMatchObject({ code: 'user-required' })
  const [again, bob] = [
    await open('alice', { indexedDB, connect: false }),
    await open('bob', { indexedDB, connect: false }),
  ]
  await again.erase({ force: true })
  await bob.close()
  const last = await openKith({ url: wsUrl, indexedDB, IDBKeyRange, WebSocket, token: () => 'none', connect: false })
  expect(last.user).toBe('bob')
  await last.close()
})

test('a closed client refuses work with closed, and closing twice is fine', async () => {
  const alice = await installation('alice').open()
  const { ownProfile } = alice
  const bob = alice.getProfile('bob')
  await Promise.all([alice.close(), alice.close()])
  await expect(ownProfile.set('name', 'Ada')).rejects.toMatchObject({ code: 'closed' })
  await expect(bob.save()).rejects.toMatchObject({ code: 'closed' })
  await expect(alice.erase()).rejects.toMatchObject({ code: 'closed' })
  expect(() => alice.connect()).toThrow('closed')
})

test('[D1] a write in progress when the client closes is completed', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  const [set, closed] = [alice.ownProfile.set('name', 'Ada'), alice.close()]
  await Promise.all([set, closed])
  expect((await phone.open()).ownProfile.get('name')).toBe('Ada')
})

test('[V5] overwritten values are in no snapshot of this device', async () => {
  const phone = installation('alice')
  const alice = await phone.open({ databaseName: 'mine' })
  await alice.ownProfile.set('name', 'a secret that was erased')
  for (let i = 0; i < 200; i++) await alice.ownProfile.set('count', i)
  await alice.ownProfile.set('name', 'Ada')
  for (let i = 0; i < 200; i++) await alice.ownProfile.set('count', i)
  expect(await first(alice.contacts())).toEqual([])
  await alice.close()
  const snapshot = await snapshotOf(phone.indexedDB, 'mine')
  expect(snapshot).toContain('Ada')
  expect(snapshot).not.toContain('a secret')
  expect((await phone.open({ databaseName: 'mine' })).ownProfile.get('name')).toBe('Ada')
})

/** The snapshot of the user's own profile, as text. */
function snapshotOf(indexedDB: IDBFactory, name: string): Promise<string> {
  return withDatabase(indexedDB, name, async ({ snapshots }) =>
    new TextDecoder().decode((await snapshots.get('profile'))?.update),
  )
}
