import type { Kith, KithOptions } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { type Backend, backend } from './backend.ts'
import { first } from './device.ts'
import { happens } from './happens.ts'
import { Locks } from './locks.ts'

test('without locks, opening one database twice is database-in-use, until the first is closed', async () => {
  const { open } = await backend()
  const indexedDB = new IDBFactory()
  const one = await open('alice', { indexedDB, connect: false })
  await expect(open('alice', { indexedDB, connect: false })).rejects.toMatchObject({ code: 'database-in-use' })
  const other = await open('alice', { indexedDB, connect: false, databaseName: 'another' })
  await other.close()
  await one.close()
  await one.close()
  expect((await open('alice', { indexedDB, connect: false })).user).toBe('alice')
})

test('what one tab writes the other shows, and both know how much is unsent', async () => {
  const { tab } = await browser(await backend())
  const [one, two] = [await tab({ connect: false }), await tab({ connect: false })]
  const bob = one.getProfile('bob')
  bob.setLabel('Bob')
  bob.setProfileAccessLevels([2])
  await bob.save()
  await one.ownProfile.set('name', 'Ada')
  await two.ownProfile.set('mood', 'well')
  const there = two.getProfile('bob')
  expect([there.label, there.accessLevels, two.ownProfile.get('name')]).toEqual(['Bob', [2], 'Ada'])
  await one.ownProfile.unset('mood')
  expect(one.ownProfile.fields).toEqual(new Map([[0, { name: 'Ada' }]]))
  expect((await first(two.contacts())).map(row => [row.id, row.label])).toEqual([['bob', 'Bob']])
})

test('one tab has the socket, and the others use it: fetch, messages, events, status and whenSynced', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const carol = await world.device('carol')
  await carol.ownProfile.set('name', 'Carol')
  await carol.whenSynced()

  const one = await tab()
  const two = await tab()
  await two.whenSynced()
  const seen = two.getProfile('carol')
  await seen.loaded
  expect(seen.get('name')).toBe('Carol')
  await two.ownProfile.set('name', 'Ada')
  await two.whenSynced()
  expect([one.unsent, two.unsent]).toEqual([0, 0])

  const inBoth = Promise.all([happens(one, 'message'), happens(two, 'message')])
  expect(await carol.send('alice', 'hello')).toBe('delivered')
  expect((await inBoth).map(([message]) => message.text)).toEqual(['hello', 'hello'])
  expect(await two.send('carol', 'hello')).toBe('delivered')

  const news = happens(two, 'profile')
  await carol.ownProfile.set('name', 'Caroline')
  expect((await news)[0]).toBe(seen)
  expect(seen.get('name')).toBe('Caroline')

  const offline = happens(one, 'status', status => status === 'offline')
  two.disconnect()
  await offline
})

test('when the tab with the socket closes, another one takes over', async () => {
  const world = await backend()
  const { tab } = await browser(world)
  const one = await tab()
  const two = await tab()
  await two.whenSynced()
  await one.ownProfile.set('name', 'Ada')
  const [waiting] = [two.whenSynced()]
  await one.close()
  await waiting
  await two.ownProfile.set('name', 'Ada L.')
  await two.whenSynced()
  expect([two.unsent, two.status]).toEqual([0, 'synced'])
})

/** One browser profile of alice's: its tabs share storage and locks. */
async function browser({ open }: Backend): Promise<{ tab(options?: Partial<KithOptions>): Promise<Kith> }> {
  const shared = { indexedDB: new IDBFactory(), locks: new Locks() }
  return { tab: options => open('alice', { ...shared, ...options }) }
}
