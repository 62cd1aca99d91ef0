import type { Kith, KithError } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { type Backend, backend } from './backend.ts'

/** Resolves to the last error that the client reports, once it is `account-erased`. */
function accountErased(kith: Kith): Promise<KithError> {
  return new Promise(resolve => {
    kith.on('error', error => {
      if (error.code === 'account-erased') resolve(error)
    })
  })
}

async function erase({ admin }: Backend, user: string): Promise<void> {
  expect((await admin('DELETE', `/v1/users/${user}`)).status).toBe(204)
}

async function isRegistered({ admin }: Backend, user: string): Promise<boolean> {
  return (await admin('GET', `/v1/users/${user}`)).status === 200
}

/** Gives Alice a name, and Bob the level 5. */
async function furnish(alice: Kith): Promise<void> {
  await alice.ownProfile.set('name', 'Ada')
  await alice.ownProfile.set('phone', '1', { level: 5 })
  const bob = alice.getProfile('bob')
  bob.setProfileAccessLevels([5])
  await bob.save()
  await alice.whenSynced()
}

test('[D7] a connected device whose account is erased deletes its data, reports account-erased, and closes', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await world.open('alice', storage)
  await furnish(alice)
  const told = accountErased(alice)
  await erase(world, 'alice')
  await told
  expect(await isRegistered(world, 'alice')).toBe(false)
  expect(() => alice.connect()).toThrow(expect.objectContaining({ code: 'closed' }))
  expect((await storage.indexedDB.databases()).map(({ name }) => name)).toEqual(['kith-visits'])
})

test('[D7] a device that was away writes nothing into the account of the next holder, and begins anew when it is opened', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const first = await world.open('alice', storage)
  await furnish(first)
  await first.close()
  const offline = await world.open('alice', { ...storage, connect: false })
  await offline.ownProfile.set('mood', 'unsent')
  await erase(world, 'alice')
  const next = await world.device('alice')
  await next.ownProfile.set('name', 'Next')
  await next.whenSynced()

  const told = accountErased(offline)
  offline.connect()
  await told
  expect(next.ownProfile.fields).toEqual(new Map([[0, { name: 'Next' }]]))
  expect(next.getProfile('bob').accessLevels).toEqual([])
  const again = await world.open('alice', storage)
  await again.whenSynced()
  expect(again.ownProfile.fields).toEqual(new Map([[0, { name: 'Next' }]]))
})
