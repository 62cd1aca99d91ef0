import { IDBDatabase, IDBObjectStore } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { coreOf } from '../support/client-internals.ts'
import { first, installation } from '../support/devices.ts'

test('[D1] a write that the database refuses rejects and changes nothing, and the next write works', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  await alice.ownProfile.set('name', 'Ada')
  const disk = breakableDisk()
  const bob = alice.getProfile('bob')
  await bob.loaded
  const { unsent } = alice

  disk.failNextWriteTo('outbox')
  await expect(alice.ownProfile.set('name', 'Lovelace')).rejects.toMatchObject({ code: 'database-failed' })
  expect([alice.ownProfile.get('name'), alice.unsent]).toEqual(['Ada', unsent])

  bob.setLabel('Bob')
  disk.failNextWriteTo('people')
  await expect(bob.save()).rejects.toMatchObject({ code: 'database-failed' })
  expect([bob.label, alice.unsent]).toEqual([undefined, unsent])
  await bob.save()
  expect([bob.label, alice.unsent]).toEqual(['Bob', unsent + 1])
  expect((await first(alice.contacts())).map(row => row.label)).toEqual(['Bob'])
  await alice.close()
  const again = await phone.open()
  expect([again.ownProfile.get('name'), again.getProfile('bob').label]).toEqual(['Ada', 'Bob'])
})

test('[V5] the documents are compacted after every 200 updates, and nothing is lost', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  const { db } = coreOf(alice).store
  const counts: number[] = []
  for (let count = 1; count <= 450; count++) {
    await alice.ownProfile.set('name', `Ada ${count}`)
    if (count % 50 === 0) counts.push(await db.updates.count())
  }
  expect(counts).toEqual([50, 100, 150, 0, 50, 100, 150, 0, 50])
  await alice.close()
  const again = await phone.open()
  expect([again.ownProfile.fields, again.unsent]).toEqual([new Map([[0, { name: 'Ada 450' }]]), 450])
})

test('[V5] the documents are compacted before overwritten pictures take more than the documents and 256 KiB', async () => {
  const phone = installation('alice')
  const alice = await phone.open()
  const { db } = coreOf(alice).store
  const bytes = async (): Promise<number> =>
    (await db.updates.toArray()).reduce((sum, row) => sum + row.update.length, 0)
  let [most, compactions] = [0, 0]
  for (let count = 1; count <= 30; count++) {
    await alice.ownProfile.set('picture', new Uint8Array(60_000).fill(count))
    most = Math.max(most, await bytes())
    if ((await db.updates.count()) === 0) compactions++
  }
  expect(most).toBeGreaterThan(128 * 1024)
  expect(most).toBeLessThan(256 * 1024 + 61_000)
  expect(compactions).toBe(6)
  await alice.close()
  const again = await phone.open()
  expect(again.ownProfile.get('picture')).toEqual(new Uint8Array(60_000).fill(30))
  for (let count = 31; count <= 40; count++) await again.ownProfile.set('picture', new Uint8Array(60_000).fill(count))
  expect(await coreOf(again).store.db.updates.count()).toBeLessThan(6)
})

test('[D1] every write transaction asks for strict durability', async () => {
  const asked: unknown[] = []
  const { transaction } = IDBDatabase.prototype
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, names, mode, options) {
    if (mode === 'readwrite') asked.push(options?.durability)
    return transaction.call(this, names, mode, options)
  }
  onTestFinished(() => {
    IDBDatabase.prototype.transaction = transaction
  })
  const alice = await installation('alice').open()
  const before = asked.length
  await alice.ownProfile.set('name', 'Ada')
  expect(asked.length).toBeGreaterThan(before)
  expect(new Set(asked)).toEqual(new Set(['strict']))
})

/** A disk that a test can make full. */
function breakableDisk(): { failNextWriteTo(table: string): void } {
  const verbs = ['add', 'put'] as const
  const original = { add: IDBObjectStore.prototype.add, put: IDBObjectStore.prototype.put }
  let failing: string | undefined
  for (const verb of verbs) {
    IDBObjectStore.prototype[verb] = function (this: IDBObjectStore, ...row: [unknown, IDBValidKey?]) {
      if (this.name === failing) {
        failing = undefined
        throw new DOMException('The disk is full', 'QuotaExceededError')
      }
      return original[verb].apply(this, row)
    }
  }
  onTestFinished(() => {
    Object.assign(IDBObjectStore.prototype, original)
  })
  return {
    failNextWriteTo(table) {
      failing = table
    },
  }
}
