import { openMemoryStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { accountsOver } from '../support/account-world.ts'
import { Unwritable } from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

/** The minimum size that one document counts as. */
const smallDocumentBytes = 16 * 1024

/** A store that records whose documents are read. A test can hold back its commits. */
async function watchedStore() {
  const store = await openMemoryStore({ limits: limitsWith(), clock: new TestClock() })
  const reads: string[] = []
  const commits: string[] = []
  let released: Promise<void> = Promise.resolve()
  const watched: Store = Object.assign(Object.create(store) as Store, {
    document: (user: string, name: 'roster' | 'profile') => {
      reads.push(`${name} of ${user}`)
      return store.document(user, name)
    },
    commit: async (change: Parameters<Store['commit']>[0]) => {
      if (change.type === 'documents') commits.push(change.user)
      if (commits.at(-1) === 'alice') await released
      return store.commit(change)
    },
  })
  /** Holds back Alice's commits until the returned function is called. */
  const holdAlice = (): (() => void) => {
    let release: () => void = () => undefined
    released = new Promise(resolve => {
      release = resolve
    })
    return release
  }
  return { store: watched, reads, commits, holdAlice }
}

test('the cache of documents keeps its bound at each load, without a sweep', async () => {
  const { store, reads, commits, holdAlice } = await watchedStore()
  const { accounts, documents, device } = accountsOver(
    store,
    new TestClock(),
    {},
    { maxHeapBytes: 3 * smallDocumentBytes },
  )
  for (let index = 0; index < 20; index++) {
    device(`user ${index}`).connect()
    await accounts.idle()
    expect(documents.size).toBeLessThanOrEqual(3)
  }
  expect(documents.size).toBe(3)
  reads.length = 0
  device('user 19').connect()
  device('user 0').connect()
  await accounts.idle()
  expect(reads, 'the least recently used went').toEqual(['roster of user 0'])

  const release = holdAlice()
  device('alice').connect()
  await expect.poll(() => commits.at(-1)).toBe('alice')
  expect(documents.size, 'while the commit after the load is under way').toBe(3)
  release()
  await accounts.idle()
})

test('a document that grows counts with its new size', async () => {
  const { store } = await watchedStore()
  const { accounts, documents, device } = accountsOver(
    store,
    new TestClock(),
    {},
    { maxHeapBytes: 20 * smallDocumentBytes },
  )
  for (let index = 0; index < 10; index++) {
    device(`user ${index}`).connect()
    await accounts.idle()
  }
  expect(documents.size).toBe(10)
  const alice = device('alice')
  alice.connect()
  for (let index = 0; index < 60; index++) {
    alice.edit([{ root: 'labels', key: `contact ${index}`, value: 'x'.repeat(250) }])
  }
  await accounts.idle()
  expect(documents.size).toBeLessThan(10)
})

test('[D2] documents with queued or unwritten changes stay in memory beyond the bound, and go when they are written', async () => {
  const { store, reads, holdAlice } = await watchedStore()
  const { accounts, documents, device } = accountsOver(
    store,
    new TestClock(),
    {},
    { maxHeapBytes: smallDocumentBytes - 1 },
  )
  const alice = device('alice')
  const release = holdAlice()
  alice.connect()
  alice.edit([
    { root: 'contacts', key: 'bob', value: true },
    { root: 'fields', key: '0/aaaaaaaa/name', value: 'Ada' },
  ])
  for (let index = 0; index < 10; index++) device(`user ${index}`).connect()
  const others = [...Array(10).keys()].map(index => `roster of user ${index}`)
  await expect.poll(() => reads.length).toBe(1 + others.length)
  await expect.poll(() => documents.size, { message: 'of the others none is left' }).toBe(1)
  alice.edit([{ root: 'contacts', key: 'carol', value: true }])
  release()
  await accounts.idle()
  expect(reads.filter(read => read.endsWith('alice'))).toEqual(['roster of alice', 'profile of alice'])
  expect([alice.refused, alice.resends, alice.failures]).toEqual([[], 0, []])
  expect(documents.size).toBe(0)
})

test('[D4] a change that was admitted while changes were refused is not written after they are taken again', async () => {
  const { store, commits } = await watchedStore()
  let refusal: Unwritable | undefined = new Unwritable(new Error('No space left on device'))
  let taken: () => void = () => undefined
  const untilTaken = new Promise<void>(resolve => {
    taken = resolve
  })
  const refusing: Store = Object.create(store, {
    refusal: { get: () => refusal },
    document: {
      value: async (...of: Parameters<Store['document']>) => {
        const parts = await store.document(...of)
        await untilTaken
        return parts
      },
    },
  })
  const { accounts, device } = accountsOver(refusing, new TestClock())
  const alice = device('alice')
  alice.edit([{ root: 'contacts', key: 'bob', value: true }])
  const { refusal: reason } = refusing
  refusal = undefined
  taken()
  await accounts.idle()
  expect([commits, alice.failures]).toEqual([[], [reason]])
})

test('[S1] the larger a document is, the fewer of its updates are merged together, so that others have their turn', async () => {
  const { store, holdAlice } = await watchedStore()
  const { accounts, documents, device } = accountsOver(store, new TestClock())
  const alice = device('alice')
  alice.connect()
  const labels = Array.from({ length: 3_000 }, (_, index) => ({
    root: 'labels',
    key: `contact ${index}`,
    value: 'x'.repeat(250),
  }))
  alice.edit(labels)
  await accounts.idle()
  const bytes = (await documents.weight('alice', 'roster')) + 1
  const together = Math.ceil((16 * 1024 * 1024) / bytes)
  expect(together).toBeLessThan(25)
  for (const [count, commits] of [
    [2 * together + 1, 3],
    [3 * together, 3],
  ] as const) {
    const before = alice.commits
    const release = holdAlice()
    alice.edit([{ root: 'labels', key: 'bob', value: 'first' }])
    for (let turns = 0; turns < 50; turns++) await new Promise(resolve => setImmediate(resolve))
    // They queue behind the commit that is being written.
    for (let index = 0; index < count; index++) alice.edit([{ root: 'labels', key: 'bob', value: `${index}` }])
    release()
    await accounts.idle()
    expect(alice.commits - before).toBe(1 + commits)
  }
})

test('[S3] each update is charged for the size of the document that is searched for it', async () => {
  const { store, holdAlice } = await watchedStore()
  const { accounts, documents, device } = accountsOver(store, new TestClock())
  const alice = device('alice')
  alice.connect()
  alice.edit(
    Array.from({ length: 500 }, (_, index) => ({ root: 'labels', key: `contact ${index}`, value: 'x'.repeat(250) })),
  )
  await accounts.idle()
  const bytes = await documents.weight('alice', 'roster')
  const release = holdAlice()
  alice.edit([{ root: 'labels', key: 'bob', value: 'first' }])
  for (let turns = 0; turns < 50; turns++) await new Promise(resolve => setImmediate(resolve))
  const before = alice.lookedBytes
  for (let index = 0; index < 10; index++) alice.edit([{ root: 'labels', key: 'bob', value: `${index}` }])
  release()
  await accounts.idle()
  expect(alice.lookedBytes - before).toBeGreaterThanOrEqual(10 * bytes)
  expect(alice.lookedBytes - before).toBeLessThan(11 * bytes)
})

test('[R1] a document that another node changes while it is read is read again when it is used', async () => {
  const { store, reads } = await watchedStore()
  const { accounts, documents, device } = accountsOver(store, new TestClock())
  device('alice').connect()
  // The read has begun, but has no result yet.
  expect(reads).toEqual(['roster of alice'])
  documents.noteOutdated('alice')
  await accounts.idle()
  expect(reads).toEqual(['roster of alice', 'roster of alice'])
})
