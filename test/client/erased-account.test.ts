import { type Kith, KithError } from '@kith/client'
import { decodeFrame, encodeFrame, type Frame } from '@kith/shared/wire'
import { Dexie } from 'dexie'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { asleep } from '../support/asleep.ts'
import { type Backend, backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import { coreOf } from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { nextEvent } from '../support/next-event.ts'
import { copyOf, countDatabases } from '../support/storage.ts'

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
  expect(await countDatabases(storage.indexedDB)).toBe(0)
})

test('[D7] a device that was away writes nothing into the next holder’s account, and starts empty when it is opened', async () => {
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

/** A socket on which a test holds back only the welcome. It records the device's own frames. */
function heldBack(): { WebSocket: typeof WebSocket; sent: Frame[]; received: Frame[]; release(): void } {
  const [sent, received]: [Frame[], Frame[]] = [[], []]
  const held: (() => void)[] = []
  let isHeld = true
  class HeldBack extends WebSocket {
    override emit(event: string, ...details: unknown[]): boolean {
      const frame = event === 'message' ? (decodeFrame(new Uint8Array(details[0] as Buffer)) as Frame) : undefined
      if (frame) received.push(frame)
      const isWelcome = frame?.type === 'welcome'
      if (!isHeld || !isWelcome) return super.emit(event, ...details)
      return held.push(() => super.emit(event, ...details)) > 0
    }
    override send(data: Uint8Array): void {
      sent.push(decodeFrame(new Uint8Array(data)) as Frame)
      super.send(data)
    }
  }
  return {
    WebSocket: HeldBack as unknown as typeof WebSocket,
    ...{ sent, received },
    release() {
      isHeld = false
      for (const go of held.splice(0)) go()
    },
  }
}

test('[D7] a device sends none of its content before the welcome, and then sends it', async () => {
  const world = await backend()
  const { WebSocket: Held, sent, received, release } = heldBack()
  const alice = await world.device('alice', { connect: false, WebSocket: Held })
  await alice.ownProfile.set('name', 'Ada')
  alice.connect()
  await expect.poll(() => received.map(({ type }) => type)).toContain('ownProfile')
  const delivery = alice.send('bob', 'hello')
  // By now the server has sent all its requests, and the device selects its responses from its database.
  for (let round = 0; round < 5; round++) await coreOf(alice).store.refresh()
  const content = sent.filter(
    frame => frame.type === 'sendMessage' || ('step' in frame && frame.step !== 'step1') || frame.type === 'barrier',
  )
  expect(content).toEqual([])
  expect(sent[0]).toMatchObject({ type: 'hello' })
  release()
  await alice.whenSynced()
  expect(await isRegistered(world, 'alice')).toBe(true)
  expect(await delivery).toBe('unconfirmed')
})

test('[D7] a device stores nothing of its account before the welcome, and then stores all of it', async () => {
  const world = await backend()
  await furnish(await world.open('alice', { indexedDB: new IDBFactory() }))
  const { WebSocket: Held, received, release } = heldBack()
  const laptop = await world.device('alice', { connect: false, WebSocket: Held })
  laptop.connect()
  const documents = (): unknown[] => received.filter(frame => 'step' in frame && frame.step === 'step2')
  await expect.poll(() => documents().length).toBe(2)
  for (let round = 0; round < 5; round++) await coreOf(laptop).store.refresh()
  expect([laptop.ownProfile.fields, laptop.getProfile('bob').accessLevels]).toEqual([new Map(), []])
  release()
  await laptop.whenSynced()
  expect([laptop.ownProfile.get('name'), laptop.getProfile('bob').accessLevels]).toEqual(['Ada', [5]])
})

test('[D7] every tab reports account-erased once, and closes; nothing is left, and no tab brings it back', async () => {
  const world = await backend()
  const indexedDB = new IDBFactory()
  const shared = { indexedDB, ...sharedByTabs() }
  const tabs = [await world.open('alice', shared), await world.open('alice', shared)] as const
  await furnish(tabs[0])
  await tabs[1].whenSynced()
  const codes = tabs.map(tab => {
    const told: string[] = []
    tab.on('error', ({ code }) => told.push(code))
    return told
  })
  await erase(world, 'alice')
  await expect.poll(() => codes.map(told => told.filter(code => code === 'account-erased').length)).toEqual([1, 1])
  for (const tab of tabs) {
    await expect(tab.ownProfile.set('name', 'Ada')).rejects.toMatchObject({ code: 'closed' })
    await tab.close()
  }
  expect(await countDatabases(indexedDB)).toBe(0)
  expect(await isRegistered(world, 'alice')).toBe(false)
})

test('[D7] a tab that learns late of the erasure deletes nothing of a device that was begun since', async () => {
  const world = await backend()
  const indexedDB = new IDBFactory()
  const shared = { indexedDB, ...sharedByTabs() }
  const [first, second] = [await world.open('alice', shared), await world.open('alice', shared)]
  await furnish(first)
  await second.whenSynced()
  const wake = asleep(second)
  const told = accountErased(first)
  await erase(world, 'alice')
  await told
  const next = await world.open('alice', { indexedDB })
  await next.ownProfile.set('name', 'Next')
  await next.close()
  const ended = coreOf(second).accountErased(new KithError('account-erased', 'The account was erased'))
  wake()
  await ended
  const again = await world.open('alice', { indexedDB, connect: false })
  expect(again.ownProfile.fields).toEqual(new Map([[0, { name: 'Next' }]]))
})

test('[D7] a tab that slept while the account was erased does not make the database again, although no server reports the erasure', async () => {
  const world = await backend()
  const indexedDB = new IDBFactory()
  const shared = { indexedDB, ...sharedByTabs() }
  const [first, second] = [await world.open('alice', shared), await world.open('alice', shared)]
  await furnish(first)
  await second.whenSynced()
  const wake = asleep(second)
  const told = accountErased(first)
  await erase(world, 'alice')
  await told
  await world.close()
  wake()
  await expect(second.ownProfile.set('name', 'Ada')).rejects.toMatchObject({ code: 'account-erased' })
  expect(await countDatabases(indexedDB)).toBe(0)
})

test('[D7] an app that reopens the device after account-erased starts a new account', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await world.open('alice', storage)
  await furnish(alice)
  const again = new Promise<Kith>(resolve => {
    alice.on('error', ({ code }) => {
      if (code === 'account-erased') void world.open('alice', storage).then(resolve)
    })
  })
  await erase(world, 'alice')
  const next = await again
  await next.whenSynced()
  expect([next.ownProfile.fields, next.getProfile('bob').accessLevels]).toEqual([new Map(), []])
  await next.ownProfile.set('name', 'Next')
  await next.whenSynced()
  expect(await isRegistered(world, 'alice')).toBe(true)
})

test('[D7] a database that is recreated from memory belongs to the same incarnation', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await world.open('alice', storage)
  await furnish(alice)
  alice.disconnect()
  const lost = nextEvent(alice, 'error', ({ code }) => code === 'database-lost')
  await done(storage.indexedDB.deleteDatabase(coreOf(alice).store.db.name))
  await lost
  await erase(world, 'alice')
  const told = accountErased(alice)
  alice.connect()
  await told
  expect(await isRegistered(world, 'alice')).toBe(false)
})

test('[D7] a tab that was opened before the first welcome makes a lost database again under the same incarnation', async () => {
  const world = await backend()
  const indexedDB = new IDBFactory()
  const shared = { indexedDB, ...sharedByTabs(), connect: false }
  const [first, second] = [await world.open('alice', shared), await world.open('alice', shared)]
  first.connect()
  await furnish(first)
  await coreOf(second).store.refresh()
  await first.close()
  const lost = nextEvent(second, 'error', ({ code }) => code === 'database-lost')
  await done(indexedDB.deleteDatabase(coreOf(second).store.db.name))
  await lost
  expect(second.ownProfile.get('name')).toBe('Ada')
  await erase(world, 'alice')
  const told = accountErased(second)
  second.connect()
  await told
  expect(await isRegistered(world, 'alice')).toBe(false)
})

test('[D7] a copy of a device’s database that is restored after the erasure does not bring the account back', async () => {
  const world = await backend()
  const indexedDB = new IDBFactory()
  const alice = await world.open('alice', { indexedDB })
  await furnish(alice)
  const { name } = coreOf(alice).store.db
  await alice.close()
  const copy = await copyOf(indexedDB, name)
  await erase(world, 'alice')
  const back = await world.open('alice', { indexedDB: copy, databaseName: name, connect: false })
  const told = accountErased(back)
  back.connect()
  await told
  expect(await isRegistered(world, 'alice')).toBe(false)
})

test('[D7] a device whose deletion fails is empty when it is opened again', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await world.open('alice', storage)
  await furnish(alice)
  vi.spyOn(coreOf(alice).store.db, 'delete').mockRejectedValueOnce(new DOMException('', 'AbortError'))
  const told = accountErased(alice)
  await erase(world, 'alice')
  await told
  const again = await world.open('alice', { ...storage, connect: false })
  expect([again.ownProfile.fields, again.unsent, coreOf(again).shown.profile('bob').accessLevels]).toEqual([
    new Map(),
    0,
    [],
  ])
})

test('[D7][D6] a server whose store was lost is filled again by the devices that synced with it', async () => {
  const [old, fresh] = [await backend(), await backend()]
  const storage = { indexedDB: new IDBFactory(), databaseName: 'alice' }
  const alice = await old.open('alice', storage)
  await furnish(alice)
  await alice.close()
  const again = await fresh.open('alice', { ...storage, url: fresh.wsUrl })
  const errors: string[] = []
  again.on('error', ({ code }) => errors.push(code))
  await again.whenSynced()
  const other = await fresh.device('alice')
  await other.whenSynced()
  expect([other.ownProfile.get('name'), other.getProfile('bob').accessLevels, errors]).toEqual(['Ada', [5], []])
  // From now on it is a device of this store.
  await again.close()
  await other.close()
  await erase(fresh, 'alice')
  const back = await fresh.open('alice', { ...storage, connect: false })
  const told = accountErased(back)
  back.connect()
  await told
})

test('[D7] a device that never connected before the erasure holds no account, and registers with what it holds', async () => {
  const world = await backend()
  const first = await world.device('alice')
  await first.whenSynced()
  const early = await world.device('alice', { connect: false })
  await early.ownProfile.set('name', 'Ada')
  await first.close()
  await erase(world, 'alice')
  early.connect()
  await early.whenSynced()
  expect(await isRegistered(world, 'alice')).toBe(true)
})

test('[D7] a device that is still storing earlier frames learns that its account was erased, although the server closes at once', async () => {
  const world = await backend()
  const storage = { indexedDB: new IDBFactory() }
  const alice = await world.open('alice', storage)
  await furnish(alice)
  await alice.close()
  await erase(world, 'alice')
  let release: () => void = () => undefined
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const update = encodeFrame({ type: 'rosterSync', step: 'update', payload: Uint8Array.of(0, 0) })
  class Busy extends WebSocket {
    override emit(event: string, ...details: unknown[]): boolean {
      const frame = event === 'message' ? decodeFrame(new Uint8Array(details[0] as Buffer)) : undefined
      if (frame?.type === 'welcome') {
        void coreOf(back).store.work(() => Dexie.waitFor(gate))
        super.emit('message', Uint8Array.from(update).buffer, true)
      }
      if (event === 'close') setImmediate(release)
      return super.emit(event, ...details)
    }
  }
  const options = { ...storage, WebSocket: Busy as unknown as typeof WebSocket, connect: false }
  const back = await world.open('alice', options)
  const told = accountErased(back)
  back.connect()
  await told
})

test('[D7] a server that reports a new device’s account as erased violates the protocol', async () => {
  const world = await backend()
  class Lying extends WebSocket {
    override emit(event: string, ...details: unknown[]): boolean {
      const frame = event === 'message' ? decodeFrame(new Uint8Array(details[0] as Buffer)) : undefined
      if (frame?.type !== 'welcome') return super.emit(event, ...details)
      const lie = Uint8Array.from(encodeFrame({ ...frame, isErased: true }))
      return super.emit('message', lie.buffer, true)
    }
  }
  const alice = await world.device('alice', { connect: false, WebSocket: Lying as unknown as typeof WebSocket })
  await alice.ownProfile.set('name', 'Ada')
  const failed = nextEvent(alice, 'error')
  alice.connect()
  expect((await failed)[0].code).toBe('protocol-violation')
  expect(alice.ownProfile.get('name')).toBe('Ada')
})
