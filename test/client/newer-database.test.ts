import type { Kith } from '@kith/client'
import type { KithError } from '@kith/shared'
import { Dexie } from 'dexie'
import { IDBKeyRange } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { coreOf } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { nextEvent } from '../support/next-event.ts'

const newer = {
  code: 'database-newer',
  message: expect.stringContaining('nothing was changed; load the newest version of the app'),
}

const stores = {
  ...{ updates: '++seq', snapshots: 'document', outbox: '++seq', replicas: 'owner, isFetched' },
  ...{ people: 'id, isListed', meta: 'key' },
}

interface Raw {
  version: number
  stores: Record<string, string>
}

const laterStores: Raw = { version: 3, stores: { ...stores, pictures: 'owner' } }

const { people, ...withoutPeople } = stores
/** A later version that has another table in the place of one that this version needs. */
const renamedStores: Raw = { version: 3, stores: { ...withoutPeople, persons: people } }

/** Opens a device's database as another version of the code would. */
async function openRaw(indexedDB: IDBFactory, name: string, { version, stores }: Raw): Promise<Dexie> {
  const db = new Dexie(name, { indexedDB, IDBKeyRange })
  db.version(version).stores(stores)
  await db.open()
  onTestFinished(() => db.close())
  return db
}

/** A device with a change that no server has, and the name of its database. */
async function withUnsent(): Promise<{ phone: ReturnType<typeof installation>; name: string; alice: Kith }> {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  expect(alice.unsent).toBe(1)
  return { phone, name: coreOf(alice).store.db.name, alice }
}

test('[D1] a database whose stores a later version has changed is refused, and nothing in it changes', async () => {
  const { phone, name, alice } = await withUnsent()
  await alice.close()
  const before = await openRaw(phone.indexedDB, name, laterStores)
  const rows = await Promise.all(before.tables.map(table => table.toArray()))
  before.close()
  await expect(phone.open()).rejects.toMatchObject(newer)
  const after = await openRaw(phone.indexedDB, name, laterStores)
  expect([after.backendDB().version, await Promise.all(after.tables.map(table => table.toArray()))]).toEqual([30, rows])
  expect(await after.table('outbox').count()).toBe(1)
})

test('[D1] a database in which a later version has renamed a store is refused to older code, which neither changes it nor closes the newer tab', async () => {
  const { phone, name, alice } = await withUnsent()
  await alice.close()
  const later = await openRaw(phone.indexedDB, name, renamedStores)
  const told = toldOfVersions(later)
  await expect(phone.open()).rejects.toMatchObject(newer)
  await expectUntouched(later, told)
})

test('[D1] an older tab that is open when a later version renames a store is closed, and neither changes it nor closes the newer tab', async () => {
  const { phone, name, alice } = await withUnsent()
  const reported = nextEvent(alice, 'error', ({ code }) => code === 'database-newer')
  const later = await openRaw(phone.indexedDB, name, renamedStores)
  const told = toldOfVersions(later)
  expect((await reported)[0]).toMatchObject(newer)
  await expectUntouched(later, told)
})

/** The versions to which other connections want to raise the database. */
function toldOfVersions(db: Dexie): (number | null)[] {
  const told: (number | null)[] = []
  db.on('versionchange', ({ newVersion }) => void told.push(newVersion))
  return told
}

async function expectUntouched(later: Dexie, told: (number | null)[]): Promise<void> {
  expect([told, later.isOpen(), later.backendDB().version]).toEqual([[], true, 30])
  expect([...later.backendDB().objectStoreNames].sort()).toEqual(Object.keys(renamedStores.stores).sort())
  expect(await later.table('outbox').count()).toBe(1)
}

test('[D1] a register of devices in which a later version has renamed a store is not changed by older code', async () => {
  const phone = installation('alice')
  const later = await openRaw(phone.indexedDB, 'kith-visits', { version: 3, stores: { visits: 'url', gone: 'writer' } })
  const told = toldOfVersions(later)
  await expect(phone.open()).rejects.toMatchObject(newer)
  expect([told, later.isOpen(), later.backendDB().version]).toEqual([[], true, 30])
})

test('[D1] a register of devices to which a later version has only added a store is used by older code', async () => {
  const phone = installation('alice')
  const more = { visits: 'url', erased: 'writer', more: 'id' }
  const later = await openRaw(phone.indexedDB, 'kith-visits', { version: 3, stores: more })
  await phone.open()
  expect(await later.table('visits').count()).toBe(1)
  expect(later.backendDB().version).toBe(30)
})

test('[D1] a database whose rows a later version has changed is refused', async () => {
  const { phone, alice } = await withUnsent()
  await coreOf(alice).store.db.meta.put({ key: 'schema', value: 3 })
  await alice.close()
  await expect(phone.open()).rejects.toMatchObject(newer)
})

test('[D1] a tab whose database a later version takes over reports database-newer, and is closed', async () => {
  const { phone, name, alice } = await withUnsent()
  const told = nextEvent(alice, 'error', ({ code }) => code === 'database-newer')
  const later = await openRaw(phone.indexedDB, name, laterStores)
  expect((await told)[0]).toMatchObject(newer)
  const refused = await alice.ownProfile.set('name', 'Lovelace').catch((error: KithError) => error.code)
  expect(['database-newer', 'closed']).toContain(refused)
  expect(await later.table('outbox').count()).toBe(1)
})

test('[D1] a database that older code has opened since is opened, with what was unsent', async () => {
  const { phone, name, alice } = await withUnsent()
  await alice.close()
  // The first version has stores that this version lacks. It adds them, and raises IndexedDB's own version by one.
  const first = { ...stores, requests: '++id', events: '++id' }
  const before = await openRaw(phone.indexedDB, name, { version: 1, stores: first })
  expect(before.backendDB().version).toBe(21)
  before.close()
  const again = await phone.open()
  expect([again.unsent, again.ownProfile.get('name')]).toEqual([1, 'Ada'])
})

test('[D1] a database without a schema number is that of this version or an earlier one, and is opened', async () => {
  const { phone, alice } = await withUnsent()
  const { db } = coreOf(alice).store
  expect((await db.meta.get('schema'))?.value).toBe(2)
  await db.meta.delete('schema')
  await alice.close()
  const again = await phone.open()
  expect([again.unsent, again.ownProfile.get('name')]).toEqual([1, 'Ada'])
})
