import { cp } from 'node:fs/promises'
import { type Kith, openKith } from '@kith/client'
import { openLevelStore, systemClock } from '@kith/server'
import { startTestServer, type TestServer } from '@kith/server/testing'
import { defaultLimits, founderOf, generationOf, type Limits } from '@kith/shared'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { type Backend, backend } from '../support/backend.ts'
import { coreOf, edit } from '../support/client-internals.ts'
import { devicesOf } from '../support/devices.ts'
import { temporaryFolder } from '../support/stores.ts'

type Name = 'roster' | 'profile'

function device(): { indexedDB: IDBFactory; databaseName: string } {
  return { indexedDB: new IDBFactory(), databaseName: 'mine' }
}

function documentOf(kith: Kith, name: Name): Y.Doc {
  return coreOf(kith).store.documents[name].doc
}

function generation(kith: Kith, name: Name = 'roster'): number {
  return generationOf(founderOf(documentOf(kith, name).store.clients.keys()))
}

function contentOf(kith: Kith): object {
  const roots = ['contacts', 'labels', 'grants', 'subscriptions', 'declined', 'blocks', 'privacy', 'settings']
  return Object.fromEntries(roots.map(root => [root, documentOf(kith, 'roster').getMap(root).toJSON()]))
}

function bytesOf(kith: Kith, name: Name = 'roster'): number {
  return Y.encodeStateAsUpdateV2(documentOf(kith, name)).length
}

/** Sets the labels of this many people several times, each time to another text. Only the last text remains. */
async function relabel(kith: Kith, { people = 20, times = 30, until = '' } = {}): Promise<void> {
  for (let time = 0; time < times; time++) {
    await edit(coreOf(kith).store, 'roster', () =>
      Array.from({ length: people }, (_, index) => ({
        root: 'labels',
        key: `person-${index}`,
        value: `label ${time} of person ${index}${until}`,
      })),
    )
    // Changes that are overwritten before they are sent leave less history.
    if (time % 10 === 9) await kith.whenSynced()
  }
  await kith.whenSynced()
}

async function setLabel(kith: Kith, id: string, label: string): Promise<void> {
  const person = kith.getProfile(id)
  person.setLabel(label)
  await person.save()
}

async function refounded(kith: Kith, count = 1, name: Name = 'roster'): Promise<void> {
  await expect.poll(() => generation(kith, name), { timeout: 10_000 }).toBeGreaterThanOrEqual(count)
  await kith.whenSynced()
}

/** A server that refounds at 4 KiB of history instead of 256. */
function soon(limits: Partial<Limits> = {}): Promise<Backend> {
  return backend({ refoundBytes: 4096, ...limits })
}

test('[R1][D6] a roster of 20 KiB with 300 KiB of history is refounded: a connected device and one that was away with unsent edits are equal, and nothing removed comes back', async () => {
  const server = await backend()
  const storage = [device(), device()]
  const [phone, tablet] = await Promise.all(storage.map(one => server.open('alice', one)))
  if (!phone || !tablet) throw new Error('no devices')
  await setLabel(phone, 'gone', 'removed while the tablet is away')
  const granted = phone.getProfile('gone')
  granted.setProfileAccessLevels([3])
  await granted.save()
  await phone.whenSynced()
  await tablet.whenSynced()
  await expect.poll(() => tablet.getProfile('gone').label).toBe('removed while the tablet is away')
  tablet.disconnect()
  await setLabel(tablet, 'kept', 'edited while away')
  await setLabel(tablet, 'person-3', 'edited while away, too')
  const blocked = tablet.getProfile('blocked')
  blocked.block(true)
  await blocked.save()
  await phone.getProfile('gone').remove()
  await relabel(phone, { people: 300, times: 120, until: ' with a long text behind it' })
  await refounded(phone)
  expect(bytesOf(phone)).toBeLessThan(40_000)
  tablet.connect()
  await tablet.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => contentOf(phone)).toEqual(contentOf(tablet))
  expect(generation(tablet)).toBe(generation(phone))
  expect(phone.getProfile('kept').label).toBe('edited while away')
  expect(phone.getProfile('person-3').label).toBe('edited while away, too')
  expect(phone.getProfile('person-4').label).toBe('label 119 of person 4 with a long text behind it')
  expect(phone.getProfile('blocked').isBlocked).toBe(true)
  expect(tablet.getProfile('gone').label).toBeUndefined()
  expect(tablet.getProfile('gone').accessLevels).toEqual([])
  expect([phone.unsent, tablet.unsent]).toEqual([0, 0])
  const other = await server.device('alice')
  await other.whenSynced()
  expect(contentOf(other)).toEqual(contentOf(phone))
}, 120_000)

test('[R1][D5] a device that was away through two generations has its unsent edits in the third', async () => {
  const server = await soon()
  const storage = device()
  const phone = await server.device('alice')
  const tablet = await server.open('alice', storage)
  await setLabel(phone, 'both', 'first')
  await phone.whenSynced()
  await expect.poll(() => tablet.getProfile('both').label).toBe('first')
  await tablet.whenSynced()
  await tablet.close()
  const away = await server.open('alice', { ...storage, connect: false })
  await setLabel(away, 'mine', 'made offline')
  await relabel(phone)
  await refounded(phone, 1)
  await phone.getProfile('both').remove()
  await relabel(phone, { until: ' again' })
  await refounded(phone, 2)
  away.connect()
  await away.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => phone.getProfile('mine').label).toBe('made offline')
  expect(contentOf(away)).toEqual(contentOf(phone))
  expect(away.getProfile('both').label).toBeUndefined()
  expect(away.unsent).toBe(0)
}, 60_000)

test('[R6] of the own profile, too: what was unset stays unset, a set made while away is kept, and beats a concurrent unset', async () => {
  const server = await soon()
  const storage = device()
  const phone = await server.device('alice')
  const tablet = await server.open('alice', storage)
  for (const name of ['unset', 'both', 'fought']) await phone.ownProfile.set(name, 'as it was')
  await phone.whenSynced()
  await tablet.whenSynced()
  await expect.poll(() => tablet.ownProfile.get('fought')).toBe('as it was')
  tablet.disconnect()
  await tablet.ownProfile.set('mine', 'made offline', { level: 3 })
  await tablet.ownProfile.set('both', 'made offline')
  await tablet.ownProfile.unset('fought')
  await phone.ownProfile.unset('unset')
  await phone.ownProfile.unset('both')
  await phone.ownProfile.set('fought', 'set since')
  for (let time = 0; time < 400; time++) await phone.ownProfile.set(time % 2 ? 'mood' : 'weather', `mood ${time}`)
  await phone.whenSynced()
  await refounded(phone, 1, 'profile')
  tablet.connect()
  await tablet.whenSynced()
  await phone.whenSynced()
  await expect.poll(() => phone.ownProfile.get('mine', { level: 3 })).toBe('made offline')
  for (const kith of [phone, tablet]) {
    expect(kith.ownProfile.get('unset')).toBeUndefined()
    expect(kith.ownProfile.get('both')).toBe('made offline')
    expect(kith.ownProfile.get('fought')).toBe('set since')
    expect(kith.ownProfile.get('mood')).toBe('mood 399')
    expect(kith.unsent).toBe(0)
  }
  expect(generation(tablet, 'profile')).toBe(generation(phone, 'profile'))
  const { status, body } = await server.admin('PATCH', '/v1/users/alice/profile', { levels: { 0: { title: 'Dr' } } })
  expect([status, JSON.stringify(body)]).toEqual([200, expect.stringContaining('made offline')])
  await expect.poll(() => tablet.ownProfile.get('title')).toBe('Dr')
}, 60_000)

const reached = 104

/** A socket that does not forward the server's confirmations that something is stored. */
class Deaf extends WebSocket {
  override emit(event: string, ...values: unknown[]): boolean {
    const [data] = values
    const isReached = event === 'message' && new Uint8Array(data as ArrayBuffer)[0] === reached
    return isReached || super.emit(event, ...values)
  }
}

test('[R4][V7] a grant that had been stored, though its device was never told, does not come back after it was revoked and the roster refounded', async () => {
  const server = await soon()
  const storage = device()
  const phone = await server.device('alice')
  const first = await server.open('alice', storage)
  await first.whenSynced()
  await first.close()
  const tablet = await server.open('alice', { ...storage, WebSocket: Deaf as never })
  const bob = tablet.getProfile('bob')
  bob.setProfileAccessLevels([5])
  await bob.save()
  await expect.poll(() => phone.getProfile('bob').accessLevels).toEqual([5])
  expect(tablet.unsent).toBeGreaterThan(0)
  await tablet.close()
  const later = await server.open('alice', { ...storage, connect: false })
  await setLabel(later, 'carol', 'made offline')
  const revoked = phone.getProfile('bob')
  revoked.setProfileAccessLevels(null)
  await revoked.save()
  await relabel(phone)
  await refounded(phone)
  later.connect()
  await later.whenSynced()
  await expect.poll(() => phone.getProfile('carol').label).toBe('made offline')
  expect(contentOf(later)).toEqual(contentOf(phone))
  expect(later.getProfile('bob').accessLevels).toEqual([])
}, 60_000)

test('[R6] what another device sets again before the roster is refounded stays, also for a device that had removed it and was away', async () => {
  const server = await soon()
  const phone = await server.device('alice')
  const tablet = await server.open('alice', device())
  await setLabel(tablet, 'carol', 'Carol')
  await tablet.getProfile('carol').remove()
  await tablet.whenSynced()
  tablet.disconnect()
  await phone.whenSynced()
  await setLabel(phone, 'carol', 'Carol again')
  await relabel(phone)
  await refounded(phone)
  tablet.connect()
  await refounded(tablet)
  await expect.poll(() => contentOf(tablet)).toEqual(contentOf(phone))
  expect(tablet.getProfile('carol').label).toBe('Carol again')
})

interface OnFolder {
  server: TestServer
  folder: string
}

/** A server on its own folder, which is empty or a copy. By default it refounds at 4 KiB of history. */
async function start(from?: string, refoundBytes = 4096): Promise<OnFolder> {
  const folder = await temporaryFolder()
  if (from) await cp(from, folder, { recursive: true })
  const limits = { ...defaultLimits, refoundBytes }
  return {
    folder,
    server: await startTestServer({ limits, store: await openLevelStore(folder, { limits, clock: systemClock }) }),
  }
}

/** Opens Alice's device with this storage. */
async function open({ server }: OnFolder, storage: ReturnType<typeof device>): Promise<Kith> {
  const kith = await openKith({
    ...{ url: server.wsUrl, user: 'alice', token: await server.issueToken('alice'), IDBKeyRange },
    ...{ ...storage, locks: null, WebSocket: WebSocket as never },
  })
  onTestFinished(() => kith.close())
  return kith
}

test('[D6] what a server lost before it refounded the roster is made again by the device that has it, and an older server is filled', async () => {
  const storages = [device(), device()] as const
  const old = await start()
  const before = [await open(old, storages[0]), await open(old, storages[1])] as const
  await setLabel(before[0], 'early', 'in the backup')
  for (const kith of before) await kith.whenSynced()
  await expect.poll(() => before[1].getProfile('early').label).toBe('in the backup')
  await before[0].close()
  await before[1].close()
  await old.server.close()
  const backup = old.folder
  const live = await start(backup)
  const lucky = await open(live, storages[1])
  await setLabel(lucky, 'late', 'not in the backup')
  await lucky.whenSynced()
  await lucky.close()
  await live.server.close()

  const restored = await start(backup)
  const phone = await open(restored, storages[0])
  await relabel(phone)
  await refounded(phone)
  const tablet = await open(restored, storages[1])
  await tablet.whenSynced()
  await expect.poll(() => phone.getProfile('late').label).toBe('not in the backup')
  expect(contentOf(tablet)).toEqual(contentOf(phone))
  const content = contentOf(phone)
  await phone.close()
  await tablet.close()
  await restored.server.close()

  const older = await start(backup)
  const returned = [await open(older, storages[0]), await open(older, storages[1])] as const
  for (const kith of returned) await kith.whenSynced()
  for (const kith of returned) await kith.whenSynced()
  await expect.poll(() => contentOf(returned[0])).toEqual(content)
  expect(contentOf(returned[1])).toEqual(content)
}, 120_000)

test('[D6] a removal that a server lost before it refounded the roster is made again by a device that had seen everything else', async () => {
  const storages = [device(), device()] as const
  const never = Number.MAX_SAFE_INTEGER
  const old = await start(undefined, never)
  const before = await open(old, storages[0])
  await setLabel(before, 'gone', 'removed later on')
  await before.whenSynced()
  await before.close()
  await old.server.close()
  const live = await start(old.folder, never)
  const early = await open(live, storages[0])
  await relabel(early)
  await early.close()
  const tabletBefore = await open(live, storages[1])
  await tabletBefore.whenSynced()
  await tabletBefore.getProfile('gone').remove()
  await tabletBefore.whenSynced()
  await tabletBefore.close()
  await live.server.close()

  const restored = await start(old.folder)
  const phone = await open(restored, storages[0])
  await refounded(phone)
  expect(phone.getProfile('gone').label).toBe('removed later on')
  const tablet = await open(restored, storages[1])
  await tablet.whenSynced()
  expect(tablet.getProfile('gone').label).toBeUndefined()
  await expect.poll(() => phone.getProfile('gone').label).toBeUndefined()
})

test('[R4][V6] a grant that was revoked before the roster was refounded does not come back from an earlier backup', async () => {
  const storages = [device(), device()] as const
  const never = Number.MAX_SAFE_INTEGER
  const old = await start(undefined, never)
  const before = await open(old, storages[0])
  await before.getProfile('carol').setProfileAccessLevels([1]).save()
  await setLabel(before, 'kept', 'in the backup')
  await before.whenSynced()
  await before.close()
  await old.server.close()
  const live = await start(old.folder)
  const phone = await open(live, storages[0])
  await phone.getProfile('carol').setProfileAccessLevels(null).save()
  await relabel(phone)
  await refounded(phone)
  await phone.close()
  await live.server.close()

  const restored = await start(old.folder, never)
  const returned = await open(restored, storages[0])
  await returned.whenSynced()
  await returned.whenSynced()
  const other = await open(restored, storages[1])
  await other.whenSynced()
  expect(documentOf(other, 'roster').getMap('grants').toJSON()).toEqual({})
  expect(other.getProfile('kept').label).toBe('in the backup')
  expect(contentOf(other)).toEqual(contentOf(returned))
})

test('[D6][V6] a removal that only a server without the roster has acknowledged is made again, though the true server has refounded the roster twice', async () => {
  const folder = await temporaryFolder()
  const limits = { ...defaultLimits, refoundBytes: 4096 }
  const start = async (data: string): Promise<TestServer> =>
    startTestServer({ limits, store: await openLevelStore(data, { limits, clock: systemClock }) })
  const live = await start(folder)
  const { open } = devicesOf(live)
  const storage = device()
  const phone = await open('alice', device())
  const tablet = await open('alice', storage)
  const bob = tablet.getProfile('bob')
  bob.setProfileAccessLevels([5])
  await bob.save()
  await tablet.whenSynced()
  await expect.poll(() => phone.getProfile('bob').accessLevels).toEqual([5])
  await tablet.close()

  const empty = await start(await temporaryFolder())
  const strayed = await devicesOf(empty).open('alice', storage)
  await strayed.whenSynced()
  const revoked = strayed.getProfile('bob')
  revoked.setProfileAccessLevels([])
  await revoked.save()
  await strayed.whenSynced()
  await strayed.close()
  await empty.close()

  await relabel(phone)
  await refounded(phone, 1)
  await relabel(phone, { until: ' again' })
  await refounded(phone, 2)
  const returned = await open('alice', storage)
  await returned.whenSynced()
  await expect.poll(() => phone.getProfile('bob').accessLevels).toEqual([])
  expect(contentOf(returned)).toEqual(contentOf(phone))
  await live.close()
}, 60_000)

test('[R6] what another device sets again stays, also for a device that had removed it right after it filled a server that had lost its store', async () => {
  const limits = { ...defaultLimits, refoundBytes: 4096 }
  const start = (): Promise<TestServer> => startTestServer({ limits })
  const lost = await start()
  const storage = device()
  const first = await devicesOf(lost).open('alice', storage)
  await setLabel(first, 'carol', 'Carol')
  await first.whenSynced()
  await first.close()
  await lost.close()

  const server = await start()
  onTestFinished(() => server.close())
  const { open } = devicesOf(server)
  const filling = await open('alice', storage)
  await filling.whenSynced()
  await filling.getProfile('carol').remove()
  await filling.whenSynced()
  await filling.close()
  const tablet = await open('alice', storage)
  await tablet.whenSynced()
  tablet.disconnect()
  const phone = await open('alice', device())
  await phone.whenSynced()
  await setLabel(phone, 'carol', 'Carol again')
  for (const until of ['', ' again']) {
    await relabel(phone, { until })
    await refounded(phone, until === '' ? 1 : 2)
  }
  tablet.connect()
  await refounded(tablet, 2)
  await expect.poll(() => contentOf(tablet)).toEqual(contentOf(phone))
  expect(tablet.getProfile('carol').label).toBe('Carol again')
})
