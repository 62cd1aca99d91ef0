import type { Kith, KithOptions } from '@kith/client'
import { TestClock } from '@kith/client/testing'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import { type Backend, backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf, Leading, readMeta, systemRandomness } from '../support/client-internals.ts'
import { fullDisk } from '../support/full-disk.ts'

const isOfAlice = ({ transaction }: { transaction: IDBTransaction }): boolean => transaction.db.name.endsWith('alice')

test.each([
  ['after a delay', async (_: Kith, clock: TestClock) => clock.move(30_000)],
  ['as soon as a change is stored', async (two: Kith) => two.ownProfile.set('name', 'Ada')],
  ['when the app connects', async (two: Kith) => two.connect()],
])(
  '[F1][D1] a tab that takes over while the disk is full connects %s, once there is room, and reports one error',
  async (_, act) => {
    const { tab } = browser(await backend())
    const clock = new TestClock()
    const [one, two] = [await tab(), await tab({ clock })]
    await Promise.all([one.whenSynced(), two.whenSynced()])
    const errors = codesOf(two)
    let attempts = 0
    const disk = fullDisk(store => {
      const isIts = isOfAlice(store)
      if (isIts && store.name === 'meta') attempts++
      return isIts
    })
    await one.close()
    await expect.poll(() => attempts).toBe(1)
    for (let second = 0; second < 90; second++) {
      clock.move(1000)
      for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    }
    expect(attempts).toBeGreaterThan(4)
    expect(attempts).toBeLessThan(30)
    expect([two.status, errors]).toEqual(['offline', ['database-failed']])
    disk.makeRoom()
    await act(two, clock)
    await two.whenSynced()
    const three = await tab({ connect: false })
    await three.whenSynced()
    expect([two.status, errors]).toEqual(['synced', ['database-failed']])
  },
)

test('[V6] a tab that is suspended while it retries to take over does not write its term over that of the next leader', async () => {
  const clock = new TestClock()
  let isLeading = true
  const use = vi.fn(() => Promise.reject(new Error('full')))
  const leading = new Leading({
    ...{ clock, randomness: systemRandomness, term: 'one', own: {} as never, store: { use } as never },
    lease: { verify: async () => isLeading } as never,
    post: () => undefined,
    failed: error => error as never,
  })
  const begun = leading.begin()
  await expect.poll(() => use.mock.calls.length).toBe(1)
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  isLeading = false
  clock.move(30_000)
  await new Promise(resolve => setImmediate(resolve))
  leading.stop()
  expect([await begun, use.mock.calls.length]).toEqual([undefined, 1])
})

test('[F1] connect() and disconnect() in a tab without the socket count although they cannot be stored, and are stored later', async () => {
  const { tab } = browser(await backend())
  const [one, two] = [await tab(), await tab()]
  await Promise.all([one.whenSynced(), two.whenSynced()])
  const { db } = coreOf(two).store
  for (const [call, status] of [
    ['disconnect', 'offline'],
    ['connect', 'synced'],
  ] as const) {
    const isWanted = call === 'connect'
    const errors = codesOf(two)
    const disk = fullDisk(store => isOfAlice(store) && store.name === 'meta')
    two[call]()
    await expect.poll(() => errors).toEqual(['database-failed'])
    if (!isWanted) await expect.poll(() => two.status).toBe(status)
    expect(await readMeta(db, 'isWanted')).toBe(!isWanted)
    disk.makeRoom()
    await two.ownProfile.set('name', call)
    await expect.poll(() => readMeta(db, 'isWanted')).toBe(isWanted)
    await expect.poll(() => two.status).toBe(status)
  }
  await two.whenSynced()
})

test('[F1] a wish that could not be stored is not stored over a later one', async () => {
  const { tab } = browser(await backend())
  const [one, two] = [await tab(), await tab()]
  await Promise.all([one.whenSynced(), two.whenSynced()])
  const disk = fullDisk(store => isOfAlice(store) && store.name === 'meta')
  two.disconnect()
  await expect.poll(() => one.status).toBe('offline')
  disk.makeRoom()
  one.connect()
  await one.whenSynced()
  await one.ownProfile.set('name', 'Ada')
  await one.whenSynced()
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  expect([one.status, await readMeta(coreOf(one).store.db, 'isWanted')]).toEqual(['synced', true])
})

for (const hasTabs of [false, true]) {
  test(`[V7] a device ${hasTabs ? 'with' : 'without'} tabs that fetched a profile in its last session opens on a full disk, and reports the error`, async () => {
    const world = await backend()
    const bob = await world.device('bob')
    await bob.ownProfile.set('name', 'Bob')
    await bob.whenSynced()
    const stored = { indexedDB: new IDBFactory(), ...(hasTabs ? sharedByTabs() : { locks: null }) }
    const alice = await world.open('alice', stored)
    await alice.enableAutoSyncContacts(false)
    await alice.getProfile('bob').loaded
    await alice.whenSynced()
    await alice.close()
    const disk = fullDisk(isOfAlice)
    const again = await world.open('alice', { ...stored, connect: false })
    const errors = codesOf(again)
    await expect.poll(() => errors).toEqual(['database-failed'])
    disk.makeRoom()
    again.connect()
    await again.whenSynced()
  })
}

/** One browser profile of Alice. Its tabs share storage and locks. */
function browser({ open }: Backend): { tab(options?: Partial<KithOptions>): Promise<Kith> } {
  const shared = { indexedDB: new IDBFactory(), ...sharedByTabs() }
  return { tab: options => open('alice', { ...shared, ...options }) }
}

function codesOf(kith: Kith): string[] {
  const codes: string[] = []
  kith.on('error', error => codes.push(error.code))
  return codes
}
