import { cp } from 'node:fs/promises'
import { type Kith, openKith } from '@kith/client'
import { openLevelStore, systemClock } from '@kith/server'
import { startTestServer, type TestServer } from '@kith/server/testing'
import { defaultLimits, founderOf, generationOf } from '@kith/shared'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type * as Y from 'yjs'
import { Accounts } from '../../packages/server/src/accounts/accounts.ts'
import { coreOf, edit } from '../support/client-internals.ts'
import { copyOf } from '../support/database-copy.ts'
import { temporaryFolder } from '../support/stores.ts'

type Name = 'roster' | 'profile'
const never = Number.MAX_SAFE_INTEGER

function device(): { indexedDB: IDBFactory; databaseName: string } {
  return { indexedDB: new IDBFactory(), databaseName: 'mine' }
}
function documentOf(kith: Kith, name: Name): Y.Doc {
  return coreOf(kith).store.documents[name].doc
}
function generation(kith: Kith, name: Name = 'roster'): number {
  return generationOf(founderOf(documentOf(kith, name).store.clients.keys()))
}
/** Refounds the roster: changes labels of other people until it is due. */
async function turn(kith: Kith, count: number, until = ''): Promise<void> {
  await relabel(kith, until)
  await refounded(kith, count)
}
async function refounded(kith: Kith, count: number): Promise<void> {
  await expect.poll(() => generation(kith), { timeout: 10_000 }).toBeGreaterThanOrEqual(count)
  await kith.whenSynced()
}
async function relabel(kith: Kith, until = ''): Promise<void> {
  for (let time = 0; time < 30; time++) {
    await edit(coreOf(kith).store, 'roster', () =>
      Array.from({ length: 20 }, (_, index) => ({
        root: 'labels',
        key: `person-${index}`,
        value: `label ${time} of person ${index}${until}`,
      })),
    )
    if (time % 10 === 9) await kith.whenSynced()
  }
  await kith.whenSynced()
}
async function setLabel(kith: Kith, id: string, label: string): Promise<void> {
  const person = kith.getProfile(id)
  person.setLabel(label)
  await person.save()
}
interface OnFolder {
  server: TestServer
  folder: string
}
async function start(from?: string, refoundBytes = 4096): Promise<OnFolder> {
  const folder = await temporaryFolder()
  if (from) await cp(from, folder, { recursive: true })
  const limits = { ...defaultLimits, refoundBytes }
  return {
    folder,
    server: await startTestServer({ limits, store: await openLevelStore(folder, { limits, clock: systemClock }) }),
  }
}
async function open({ server }: OnFolder, storage: ReturnType<typeof device>, connect = true): Promise<Kith> {
  const kith = await openKith({
    ...{ url: server.wsUrl, user: 'alice', token: await server.issueToken('alice'), IDBKeyRange, connect },
    ...{ ...storage, locks: null, WebSocket: WebSocket as never },
  })
  onTestFinished(() => kith.close())
  return kith
}

/** Two devices know the backup. In the live server, the tablet adds history, then the phone changes something. */
async function lines(change: (phone: Kith) => Promise<void>, after?: (phone: Kith) => Promise<void>) {
  const storages = [device(), device()] as const
  const old = await start(undefined, never)
  const before = await open(old, storages[0])
  await setLabel(before, 'carol', 'older')
  await setLabel(before, 'erin', 'older')
  await before.getProfile('carol').setProfileAccessLevels([1]).save()
  await before.whenSynced()
  await before.close()
  await old.server.close()

  const live = await start(old.folder, never)
  const tablet = await open(live, storages[1])
  await tablet.whenSynced()
  await relabel(tablet)
  await tablet.close()
  const phone = await open(live, storages[0])
  await change(phone)
  await phone.whenSynced()
  await phone.close()
  await live.server.close()
  const again = await start(live.folder)
  const founding = await open(again, storages[0])
  await setLabel(founding, 'dave', 'makes the refounding due')
  await founding.whenSynced()
  await refounded(founding, 1)
  await after?.(founding)
  await founding.whenSynced()
  await founding.close()
  await again.server.close()

  const restored = await start(old.folder)
  const refilling = await open(restored, storages[1])
  await refounded(refilling, 1)
  const returned = await open(restored, storages[0], false)
  returned.connect()
  await returned.whenSynced()
  await returned.whenSynced()
  await refilling.whenSynced()
  return { returned }
}

test.each([1, 2])('[R1][D6] a label that the founder knew is not reset by a rival that knew less (%i)', async () => {
  const { returned } = await lines(phone => setLabel(phone, 'carol', 'newer'))
  expect(returned.getProfile('carol').label).toBe('newer')
})

test.each([1, 2])(
  '[R1][D6] a revocation that the founder knew is not undone by a rival that knew less (%i)',
  async () => {
    const { returned } = await lines(async phone => {
      await phone.getProfile('carol').setProfileAccessLevels(null).save()
    })
    expect(documentOf(returned, 'roster').getMap('grants').toJSON()).toEqual({})
  },
)

test.each([1, 2, 3, 4])(
  '[R1][D6] a label and a revocation that followed the founding are not undone by a rival that knew less (%i)',
  async () => {
    const { returned } = await lines(
      async () => undefined,
      async phone => {
        await setLabel(phone, 'erin', 'newest')
        await phone.getProfile('carol').setProfileAccessLevels(null).save()
      },
    )
    const got = [returned.getProfile('erin').label, documentOf(returned, 'roster').getMap('grants').toJSON()]
    expect(got).toEqual(['newest', {}])
  },
)

test('[D6] a revocation that the server lost is made again by a device that had seen all, in the second generation as in the first', async () => {
  const storages = [device(), device()] as const
  const old = await start()
  const before = await open(old, storages[0])
  await before.getProfile('carol').setProfileAccessLevels([1]).save()
  await before.whenSynced()
  await turn(before, 1)
  const first = generation(before)
  await before.close()
  await old.server.close()

  const live = await start(old.folder, never)
  const early = await open(live, storages[0])
  await early.whenSynced()
  await relabel(early, ' again')
  await early.close()
  const tabletBefore = await open(live, storages[1])
  await tabletBefore.whenSynced()
  await tabletBefore.getProfile('carol').setProfileAccessLevels(null).save()
  await tabletBefore.whenSynced()
  await tabletBefore.close()
  await live.server.close()

  const restored = await start(old.folder)
  const phone = await open(restored, storages[0])
  await refounded(phone, first + 1)
  const tablet = await open(restored, storages[1])
  await tablet.whenSynced()
  await tablet.whenSynced()
  expect(documentOf(tablet, 'roster').getMap('grants').toJSON()).toEqual({})
})

test('[R6][V5] a field that another device set on the restored server is not overridden by the lost founder copy of the value before it', async () => {
  const one = [device(), device()] as const
  const old = await start(undefined, never)
  const opened = [await open(old, one[0]), await open(old, one[1])] as const
  const writers = opened.map(kith => coreOf(kith).store.documents.writer) as [string, string]
  const [a, c] = writers[0] > writers[1] ? [0, 1] : ([1, 0] as const)
  const phone0 = opened[a] as Kith
  const tablet0 = opened[c] as Kith
  await phone0.ownProfile.set('name', 'older')
  await phone0.whenSynced()
  await expect.poll(() => tablet0.ownProfile.get('name')).toBe('older')
  await tablet0.whenSynced()
  await phone0.close()
  await tablet0.close()
  await old.server.close()

  const live = await start(old.folder)
  const phone = await open(live, one[a] as never)
  for (let time = 0; time < 400; time++) {
    await phone.ownProfile.set(time % 2 ? 'mood' : 'weather', `mood ${time} with some text behind it`)
    if (time % 10 === 9) await phone.whenSynced()
  }
  await expect.poll(() => generation(phone, 'profile')).toBeGreaterThanOrEqual(1)
  await phone.whenSynced()
  await phone.close()
  await live.server.close()

  const restored = await start(old.folder, never)
  const tablet = await open(restored, one[c] as never, false)
  await tablet.ownProfile.set('name', 'newer')
  tablet.connect()
  await tablet.whenSynced()
  const returned = await open(restored, one[a] as never)
  await returned.whenSynced()
  await returned.whenSynced()
  expect(returned.ownProfile.get('name')).toBe('newer')
})

test('[D5][D6] an unsent edit of a device whose database was restored is kept when the roster was refounded meanwhile', async () => {
  const storage = device()
  const server = await start()
  const other = await open(server, device())
  const phone = await open(server, storage)
  await setLabel(phone, 'carol', 'Carol')
  await phone.whenSynced()
  await phone.close()
  const copy = { indexedDB: await copyOf(storage.indexedDB, storage.databaseName), databaseName: storage.databaseName }
  const lost = await open(server, storage)
  await setLabel(lost, 'erin', 'written before the restore')
  await lost.whenSynced()
  await lost.close()
  await turn(other, 1)
  const restored = await open(server, copy, false)
  await setLabel(restored, 'frank', 'written after the restore')
  expect(restored.unsent).toBeGreaterThan(0)
  restored.connect()
  await restored.whenSynced()
  expect(restored.getProfile('frank').label).toBe('written after the restore')
})

const forced: Accounts[] = []
const ofUser = Accounts.prototype.of
Accounts.prototype.of = function (this: Accounts, user: string) {
  if (!forced.includes(this)) forced.push(this)
  return ofUser.call(this, user)
}
async function force(name: Name = 'roster'): Promise<void> {
  await (forced.at(-1) as Accounts).refound('alice', name)
}

let cutAfter = Number.POSITIVE_INFINITY
class Cutting extends WebSocket {
  #large = 0
  override send(data: never, ...rest: never[]): void {
    const { byteLength } = data as Uint8Array
    if (this.#large >= cutAfter) return
    if (byteLength > 5000) this.#large++
    super.send(data, ...rest)
  }
}

test('[R1][D6] a grant that was stored with the first piece of a change does not come back after it was revoked and the roster refounded', async () => {
  const server = await start()
  const storage = device()
  const phone = await openKith({
    ...{ url: server.server.wsUrl, user: 'alice', token: await server.server.issueToken('alice'), IDBKeyRange },
    ...{ ...storage, locks: null, WebSocket: Cutting as never },
  })
  await setLabel(phone, 'bob', 'Bob')
  await phone.whenSynced()
  cutAfter = 1
  await edit(coreOf(phone).store, 'roster', () =>
    Array.from({ length: 9000 }, (_, index) => ({
      root: 'grants',
      key: `1/person-${index}-${'x'.repeat(60)}`,
      value: true,
    })),
  )
  const tablet = await open(server, device())
  await expect.poll(() => documentOf(tablet, 'roster').getMap('grants').size, { timeout: 10_000 }).toBeGreaterThan(0)
  await phone.close()
  cutAfter = Number.POSITIVE_INFINITY
  const granted = [...documentOf(tablet, 'roster').getMap('grants').keys()]
  const victim = (granted[0] as string).slice(2)
  await tablet.getProfile(victim).setProfileAccessLevels(null).save()
  await tablet.whenSynced()
  await force()
  await expect.poll(() => generation(tablet), { timeout: 10_000 }).toBe(1)
  await tablet.whenSynced()
  const returned = await open(server, storage)
  await returned.whenSynced()
  await returned.whenSynced()
  expect(documentOf(returned, 'roster').getMap('grants').has(`1/${victim}`)).toBe(false)
})

let isHeld = false
const release: (() => void)[] = []
class Held extends WebSocket {
  #waits = false
  override send(data: never, ...rest: never[]): void {
    const { byteLength } = data as Uint8Array
    if (!(isHeld && (this.#waits || byteLength > 300))) return super.send(data, ...rest)
    this.#waits = true
    release.push(() => super.send(data, ...rest))
  }
}

test('[R1][D6] two devices of different generations that fill an empty server at the same time have equal documents', async () => {
  const storages = [device(), device()] as const
  const old = await start()
  const tablet0 = await open(old, storages[1])
  await setLabel(tablet0, 'gone', 'removed before the refounding')
  await setLabel(tablet0, 'carol', 'Carol')
  await tablet0.whenSynced()
  await tablet0.close()
  const phone0 = await open(old, storages[0])
  await phone0.whenSynced()
  await phone0.getProfile('gone').remove()
  await turn(phone0, 1)
  await phone0.close()
  await old.server.close()

  const empty = await start(undefined, never)
  isHeld = true
  const phone = await openKith({
    ...{ url: empty.server.wsUrl, user: 'alice', token: await empty.server.issueToken('alice'), IDBKeyRange },
    ...{ ...storages[0], locks: null, WebSocket: Held as never },
  })
  onTestFinished(() => phone.close())
  await expect.poll(() => release.length).toBeGreaterThan(0)
  const tablet = await open(empty, storages[1])
  await tablet.whenSynced()
  isHeld = false
  for (const send of release.splice(0)) send()
  const reopened: Kith[] = []
  for (const one of [phone, tablet]) {
    await one.whenSynced()
    await one.close()
  }
  for (const storage of storages) reopened.push(await open(empty, storage))
  const [first, second] = reopened as [Kith, Kith]
  await setLabel(second, 'erin', 'set on the tablet')
  await expect.poll(() => first.getProfile('erin').label, { timeout: 10_000 }).toBe('set on the tablet')
  for (const one of reopened) {
    await one.whenSynced()
    expect([one.getProfile('carol').label, one.getProfile('gone').label]).toEqual(['Carol', undefined])
  }
  expect(generation(first)).toBe(generation(second))
})

test('[R1][D6] a revoked grant does not come back from a device of the generation before, while a server is filled with a refounded roster in pieces', async () => {
  const storages = [device(), device()] as const
  const old = await start(undefined, never)
  const tablet0 = await open(old, storages[1])
  await tablet0.getProfile('carol').setProfileAccessLevels([1]).save()
  await edit(coreOf(tablet0).store, 'roster', () =>
    Array.from({ length: 9000 }, (_, index) => ({
      root: 'labels',
      key: `person-${index}-${'x'.repeat(60)}`,
      value: 'l',
    })),
  )
  await tablet0.whenSynced()
  await tablet0.close()
  const phone0 = await open(old, storages[0])
  await phone0.whenSynced()
  await phone0.getProfile('carol').setProfileAccessLevels(null).save()
  await phone0.whenSynced()
  await force()
  await refounded(phone0, 1)
  await phone0.close()
  await old.server.close()

  const empty = await start(undefined, never)
  cutAfter = 1
  const phone = await openKith({
    ...{ url: empty.server.wsUrl, user: 'alice', token: await empty.server.issueToken('alice'), IDBKeyRange },
    ...{ ...storages[0], locks: null, WebSocket: Cutting as never },
  })
  const observer = await open(empty, device())
  await expect.poll(() => generation(observer), { timeout: 10_000 }).toBe(1)
  await phone.close()
  await observer.close()
  cutAfter = Number.POSITIVE_INFINITY
  const tablet = await open(empty, storages[1])
  await tablet.whenSynced()
  await tablet.whenSynced()
  const returned = await open(empty, storages[0])
  await returned.whenSynced()
  await returned.whenSynced()
  await tablet.whenSynced()
  expect(documentOf(returned, 'roster').getMap('grants').toJSON()).toEqual({})
})

const seenBytes: string[] = []
class Recording extends WebSocket {
  override emit(event: string, ...values: unknown[]): boolean {
    if (event === 'message') seenBytes.push(Buffer.from(values[0] as ArrayBuffer).toString('latin1'))
    return super.emit(event, ...values)
  }
}

test('[V6] with a cursor from before the backup, a revocation is made again before the later profile edit, when a restored server has refounded both documents', async () => {
  const [phoneStorage, bobStorage] = [device(), device()]
  const openBob = async (on: OnFolder): Promise<Kith> => {
    const kith = await openKith({
      ...{ url: on.server.wsUrl, user: 'bob', token: await on.server.issueToken('bob'), IDBKeyRange },
      ...{ ...bobStorage, locks: null, WebSocket: Recording as never },
    })
    onTestFinished(() => kith.close())
    return kith
  }
  const old = await start(undefined, never)
  const before = await open(old, phoneStorage)
  await before.ownProfile.set('mood', 'first mood', { level: 1 })
  await before.getProfile('bob').setProfileAccessLevels([1]).save()
  await before.whenSynced()
  const bob0 = await openBob(old)
  await bob0.getProfile('alice').subscribe(true).save()
  await bob0.whenSynced()
  await expect.poll(() => seenBytes.some(text => text.includes('first mood'))).toBe(true)
  await bob0.close()
  const backup = await temporaryFolder()
  await cp(old.folder, backup, { recursive: true })
  const phone = before
  await phone.getProfile('bob').setProfileAccessLevels(null).save()
  await phone.ownProfile.set('mood', 'secret mood', { level: 1 })
  await phone.whenSynced()
  await phone.close()
  await old.server.close()

  const restored = await start(backup, never)
  const bob = await openBob(restored)
  await bob.whenSynced()
  await force('roster')
  await force('profile')
  const returned = await open(restored, phoneStorage)
  await returned.whenSynced()
  await returned.whenSynced()
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(seenBytes.filter(text => text.includes('secret mood'))).toEqual([])
})

test('[D6] a removal that is made again is not lost when the roster is refounded again before it was sent', async () => {
  const storages = [device(), device()] as const
  const old = await start(undefined, never)
  const before = await open(old, storages[0])
  await before.getProfile('carol').setProfileAccessLevels([1]).save()
  await before.whenSynced()
  await before.close()
  await old.server.close()

  const live = await start(old.folder, never)
  const phone = await open(live, storages[0])
  await phone.whenSynced()
  await phone.getProfile('carol').setProfileAccessLevels(null).save()
  await phone.whenSynced()
  await phone.close()
  await live.server.close()

  const restored = await start(old.folder, never)
  const tablet = await open(restored, storages[1])
  await tablet.whenSynced()
  await force()
  await refounded(tablet, 1)
  // The phone makes the removal again, and loses its connection before it has sent it.
  holdAll = true
  const cut = await openKith({
    ...{ url: restored.server.wsUrl, user: 'alice', token: await restored.server.issueToken('alice'), IDBKeyRange },
    ...{ ...storages[0], locks: null, WebSocket: Mute as never },
  })
  await expect.poll(() => generation(cut)).toBe(1)
  await new Promise(resolve => setTimeout(resolve, 300))
  await cut.close()
  await setLabel(tablet, 'dave', 'any change of another device')
  await tablet.whenSynced()
  await force()
  await refounded(tablet, 2)
  holdAll = false
  const returned = await open(restored, storages[0])
  await returned.whenSynced()
  await returned.whenSynced()
  expect(documentOf(returned, 'roster').getMap('grants').toJSON()).toEqual({})
})

let holdAll = false
/** From the first update of the roster on, sends nothing more. */
class Mute extends WebSocket {
  #isCut = false
  override send(data: never, ...rest: never[]): void {
    const bytes = new Uint8Array(data as Uint8Array)
    if (holdAll && bytes[0] === 0 && bytes[1] === 2) this.#isCut = true
    if (!this.#isCut) super.send(data, ...rest)
  }
}
