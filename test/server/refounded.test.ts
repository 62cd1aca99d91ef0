import { check } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { closeCodes, founderOf, generationOf, type KeyChange, mostRetired, retiredOf, rosterRoots } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import type { Device } from '../support/raw-device.ts'
import { BackendEdits, encodeUser, keys, newUser } from '../support/server-internals.ts'
import { serverWorld, type World } from '../support/server-world.ts'
import { stockDevice } from '../support/stock-device.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

const limits = { refoundBytes: 4096 }
/** A client that founded the first generation after the original one. */
const founder = 2 ** 32 + 7
/** The session ends in the middle of the changes. */
const anyLabel = expect.stringMatching(/^label \d+$/)

function generation(doc: Y.Doc): number {
  return generationOf(founderOf(doc.store.clients.keys()))
}

/** A device that changes so much that the roster is refounded. */
async function turn(world: World, device: Device, text = ''): Promise<void> {
  for (let time = 0; time < 500; time++) {
    device.change([{ root: 'labels', key: time % 2 ? 'bob' : 'erin', value: `label ${time}${text}` }])
  }
  await device.closed()
  expect(await world.check()).toEqual([])
}

test('a stock provider is told by 4428 that its roster was refounded, does not come back, and is not merged when it does', async () => {
  const world = await serverWorld({ limits })
  const stock = await stockDevice(world, 'alice')
  stock.provider.connect()
  await stock.synced()
  stock.setLabel('gone', 'removed later on')
  const [kith] = await world.devices('alice')
  await kith.until('the label', () => kith.roster.getMap('labels').has('gone'))
  kith.change([{ root: 'labels', key: 'gone', value: undefined }])
  await kith.barrier()
  await turn(world, kith)
  await expect.poll(() => stock.closes).toContain(closeCodes.outdated)
  const old = stock.doc
  expect(generation(old)).toBe(0)

  const again = await stockDevice(world, 'alice', old)
  again.setLabel('carol', 'of the old document')
  again.provider.connect()
  await expect.poll(() => again.closes).toContain(closeCodes.outdated)
  expect(generation(old)).toBe(0)

  const fresh = await stockDevice(world, 'alice')
  fresh.setLabel('dave', 'made before it ever synced')
  fresh.provider.connect()
  await fresh.synced()
  await fresh.until(() => fresh.doc.getMap('labels').has('bob'))
  expect(generation(fresh.doc)).toBe(1)
  expect(fresh.doc.getMap('labels').toJSON()).toEqual({
    bob: anyLabel,
    erin: anyLabel,
    dave: 'made before it ever synced',
  })
  expect(await world.check()).toEqual([])
})

test('[R1][R4] a roster that is refounded has in each of its roots what it had', async () => {
  const world = await serverWorld({ limits })
  const [phone] = await world.devices('alice')
  phone.change([
    { root: 'blocks', key: `${'b'.repeat(16)}/mallory`, value: true },
    { root: 'grants', key: '2/bob', value: true },
    { root: 'contacts', key: 'bob', value: true },
    { root: 'subscriptions', key: 'carol', value: true },
    { root: 'declined', key: 'dave', value: true },
    { root: 'settings', key: 'autoSync', value: false },
  ])
  await phone.barrier()
  const contentOf = (doc: Y.Doc): unknown =>
    rosterRoots.filter(root => root !== 'labels').map(root => [root, doc.getMap(root).toJSON()])
  const before = contentOf(phone.roster)
  await turn(world, phone)
  const [fresh] = await world.devices('alice')
  await fresh.until('the roster', () => generation(fresh.roster) === 1)
  expect(contentOf(fresh.roster)).toEqual(before)
})

test('a device of an older Kith with an old generation gets 4426, and nothing of it is merged', async () => {
  const world = await serverWorld({ limits })
  const [phone, tablet] = await world.devices('alice', 'alice')
  await turn(world, phone)
  expect((await tablet.closed()).code).toBe(closeCodes.tooOld)
  tablet.edit('carol', { label: 'of the old document' })
  await tablet.dial()
  tablet.send({ type: 'hello', version: 1, cursor: tablet.cursor })
  tablet.send({ type: 'rosterSync', step: 'step1', payload: Y.encodeStateVector(tablet.roster) })
  expect((await tablet.closed()).code).toBe(closeCodes.tooOld)
  const [fresh] = await world.devices('alice')
  expect(fresh.roster.getMap('labels').toJSON()).toEqual({ bob: anyLabel, erin: anyLabel })
})

test('a device that was told of no generation does not get the change with which another fills the empty server', async () => {
  const world = await serverWorld()
  const [empty, filling] = await world.devices('alice', 'alice')
  const doc = new Y.Doc()
  doc.clientID = founder
  doc.getMap('labels').set('bob', 'Bob')
  Y.applyUpdate(filling.roster, Y.encodeStateAsUpdate(doc))
  await expect.poll(() => [empty.isConnected, empty.roster.getMap('labels').has('bob')]).toEqual([false, false])
  expect((await empty.closed()).code).toBe(closeCodes.tooOld)
  // The device that brought the document receives what others write on top of it.
  const [fresh] = await world.devices('alice')
  fresh.edit('bob', { label: 'Robert' })
  await filling.until('the label', () => filling.roster.getMap('labels').get('bob') === 'Robert')
  expect(await world.check()).toEqual([])
})

test('an update of an ended generation is not merged, though its sender asked for nothing', async () => {
  const world = await serverWorld({ limits })
  const [phone] = await world.devices('alice')
  phone.edit('carol', { label: 'removed later on' })
  const old = Y.encodeStateAsUpdate(phone.roster)
  phone.change([{ root: 'labels', key: 'carol', value: undefined }])
  await turn(world, phone)
  const hostile = world.device('alice')
  await hostile.dial()
  hostile.send({ type: 'rosterSync', step: 'update', payload: old })
  expect((await hostile.closed()).code).toBe(closeCodes.outdated)
  const [fresh] = await world.devices('alice')
  expect(fresh.roster.getMap('labels').toJSON()).toEqual({ bob: anyLabel, erin: anyLabel })
})

/**
 * One update of many clients, each of which has written more than any device before. A refounding records only these clients.
 */
function ofManyClients(): Uint8Array {
  const docs = Array.from({ length: mostRetired + 8 }, (_, index) => {
    const doc = new Y.Doc()
    for (let time = 0; time < 3; time++) doc.getMap('labels').set(`person ${index}`, `label ${time}`)
    doc.getMap('labels').delete(`person ${index}`)
    return doc
  })
  return Y.mergeUpdates(docs.map(doc => Y.encodeStateAsUpdate(doc)))
}

test('[R1][R4] a stock provider whose client ids a roster no longer knows is told that the roster was refounded, and nothing that was removed comes back', async () => {
  const world = await serverWorld({ limits })
  const stock = await stockDevice(world, 'alice')
  stock.provider.connect()
  await stock.synced()
  stock.setLabel('gone', 'removed later on')
  const [kith] = await world.devices('alice')
  await kith.until('the label', () => kith.roster.getMap('labels').has('gone'))
  stock.provider.disconnect()
  kith.change([
    { root: 'labels', key: 'gone', value: undefined },
    { root: 'labels', key: 'bob', value: 'Bob' },
  ])
  await kith.barrier()
  kith.send({ type: 'rosterSync', step: 'update', payload: ofManyClients() })
  await kith.closed()
  const old = stock.doc

  const again = await stockDevice(world, 'alice', old)
  again.provider.connect()
  await expect.poll(() => again.closes).toContain(closeCodes.outdated)
  expect(generation(old)).toBe(0)

  const hostile = world.device('alice')
  await hostile.dial()
  hostile.send({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(old) })
  expect((await hostile.closed()).code).toBe(closeCodes.outdated)

  // A device that received the document may write, although its updates name no founder.
  const fresh = await stockDevice(world, 'alice')
  fresh.provider.connect()
  await fresh.synced()
  await fresh.until(() => fresh.doc.getMap('labels').has('bob'))
  expect(retiredOf(fresh.doc).size).toBe(mostRetired)
  expect(retiredOf(fresh.doc).has(stock.doc.clientID)).toBe(false)
  fresh.setLabel('carol', 'of the new document')
  const [other] = await world.devices('alice')
  await other.until('the label', () => other.roster.getMap('labels').has('carol'))
  expect([...other.roster.getMap('labels').keys()].sort()).toEqual(['bob', 'carol'])
  expect(await world.check()).toEqual([])
})

test('[R1][R4] where not all earlier clients are known, an update by unknown ones is written only for a device that has the generation', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  const old = new Y.Doc()
  old.getMap('labels').set('gone', 'removed later on')
  alice.send('roster', Y.encodeStateAsUpdate(old))
  await accounts.idle()
  const known = new Y.Doc()
  Y.applyUpdate(known, Y.encodeStateAsUpdate(old))
  known.getMap('labels').delete('gone')
  alice.send('roster', Y.encodeStateAsUpdate(known))
  alice.send('roster', ofManyClients())
  await accounts.idle()
  await accounts.refound('alice', 'roster')

  alice.hasGeneration = false
  alice.send('roster', Y.encodeStateAsUpdate(old))
  await accounts.idle()
  expect(alice.failures).toMatchObject([{ message: 'outdated' }])
  alice.hasGeneration = true
  const fresh = new Y.Doc()
  fresh.getMap('labels').set('carol', 'of the new document')
  alice.send('roster', Y.encodeStateAsUpdate(fresh))
  await accounts.idle()
  expect(alice.failures).toHaveLength(1)
  const doc = new Y.Doc()
  for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
  expect([retiredOf(doc).size, retiredOf(doc).has(old.clientID)]).toEqual([mostRetired, false])
  expect(doc.getMap('labels').toJSON()).toEqual({ carol: 'of the new document' })
})

test('[R1][R4] an update with a founder that a roster no longer knows is not merged', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  const stored = async (): Promise<Y.Doc> => {
    const doc = new Y.Doc()
    for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
    return doc
  }
  const refound = async (): Promise<void> => {
    alice.send('roster', ofManyClients())
    await accounts.idle()
    await accounts.refound('alice', 'roster')
    alice.founder = founderOf((await stored()).store.clients.keys())
  }
  alice.edit([{ root: 'labels', key: 'gone', value: 'removed later on' }])
  await refound()
  const old = await stored()
  const known = await stored()
  let removal: Uint8Array = new Uint8Array()
  known.once('update', update => {
    removal = update
  })
  known.getMap('labels').delete('gone')
  alice.send('roster', removal)
  await refound()
  await refound()
  expect(retiredOf(await stored()).has(founderOf(old.store.clients.keys()))).toBe(false)

  for (const hasGeneration of [false, true]) {
    alice.hasGeneration = hasGeneration
    alice.send('roster', Y.encodeStateAsUpdate(old))
    await accounts.idle()
  }
  expect(alice.failures).toMatchObject([{ message: 'outdated' }, { message: 'outdated' }])
  expect((await stored()).getMap('labels').toJSON()).toEqual({})
})

test('what a session of the generation before writes is not written upon the next one, though it builds on nothing', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  alice.edit([{ root: 'labels', key: 'bob', value: 'Bob' }])
  await accounts.idle()
  await accounts.refound('alice', 'roster')
  alice.founder = 0
  const fresh = new Y.Doc()
  fresh.getMap('labels').set('carol', 'of a client that never wrote before')
  alice.send('roster', Y.encodeStateAsUpdate(fresh))
  await accounts.idle()
  expect(alice.failures).toMatchObject([{ message: 'outdated' }])
  const doc = new Y.Doc()
  for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
  expect(doc.getMap('labels').toJSON()).toEqual({ bob: 'Bob' })
})

test('[R6] an edit by the backend whose profile is refounded between its reading and its writing is made again upon the new one', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  device('alice').connect()
  await accounts.idle()
  const edits = new BackendEdits(store, accounts)
  await edits.editProfile('alice', [{ level: 0, name: 'name', value: 'Ada' }])
  const of = accounts.of.bind(accounts)
  let calls = 0
  let refounding: Promise<void> | undefined
  accounts.of = user => {
    calls++
    // The first call is for the read. The second is for the write, which is queued behind the refounding.
    if (calls === 2) refounding = accounts.refound(user, 'profile')
    return of(user)
  }
  await edits.editProfile('alice', [{ level: 0, name: 'name', value: 'Eve' }])
  await refounding
  const doc = new Y.Doc()
  for (const part of (await store.document('alice', 'profile')).parts) Y.applyUpdateV2(doc, part)
  expect(generation(doc)).toBe(1)
  expect([...doc.getMap('fields').values()]).toEqual(['Eve'])
})

test('[R4] a message policy of the backend whose roster is refounded between its reading and its writing is made again upon the new one', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  alice.connect()
  alice.edit([{ root: 'labels', key: 'bob', value: 'Bob' }])
  await accounts.idle()
  const edits = new BackendEdits(store, accounts)
  const of = accounts.of.bind(accounts)
  for (const audience of ['nobody', 'contacts'] as const) {
    let calls = 0
    let refounding: Promise<void> | undefined
    accounts.of = user => {
      calls++
      // The first call is for the read. The second is for the write, which is queued behind the refounding.
      if (calls === 2) refounding = accounts.refound(user, 'roster')
      return of(user)
    }
    await edits.setMessageAudience('alice', audience)
    await refounding
    const doc = new Y.Doc()
    for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
    const names = [...doc.getMap('privacy').keys()].map(key => key.split('/')[1])
    expect([generation(doc), names, doc.getMap('labels').toJSON()]).toEqual([
      audience === 'nobody' ? 1 : 2,
      [audience === 'nobody' ? 'messagesNobody' : 'messagesContactsOnly'],
      { bob: 'Bob' },
    ])
    expect((await store.user('alice')).messageAudience).toBe(audience)
  }
})

test('[D4] a roster forgets that it declined a user who was neither registered nor named for two years, at a refounding and on disk', async () => {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = storeOver(database, clock)
  const { accounts, device } = accountsOver(store, clock)
  const alice = device('alice')
  const bob = device('bob')
  // An account of a restored backup, none of whose devices has connected since.
  await database.put(keys.user('withheld'), encodeUser({ ...newUser(), isWithheld: true }))
  for (const one of [alice, bob]) one.connect()
  const declined = (...users: string[]): KeyChange[] => users.map(key => ({ root: 'declined', key, value: true }))
  alice.edit([
    ...declined('bob', 'named', 'stranger', 'withheld'),
    { root: 'labels', key: 'named', value: 'Still known' },
  ])
  await accounts.idle()
  const refoundAfter = async (days: number): Promise<string[]> => {
    clock.leap(days * 86_400_000)
    await accounts.refound('alice', 'roster')
    expect(await check(database)).toMatchObject({ findings: [] })
    const doc = new Y.Doc()
    for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
    return [...doc.getMap('declined').keys()].sort()
  }
  expect(await refoundAfter(800)).toEqual(['bob', 'named', 'stranger', 'withheld'])
  expect(await refoundAfter(729)).toEqual(['bob', 'named', 'stranger', 'withheld'])
  for (let day = 0; day < 2; day++) expect(await refoundAfter(1)).toEqual(['bob', 'named', 'stranger', 'withheld'])
  expect(await check(database)).toMatchObject({ leftovers: { declined: 1 } })
  expect(await refoundAfter(1)).toEqual(['bob', 'named', 'withheld'])
  expect(await check(database)).toMatchObject({ relations: 6, leftovers: { declined: 0 } })
  // The time of entries that did not lapse counts from then on.
  expect(await refoundAfter(729)).toEqual(['bob', 'named', 'withheld'])
})

test('[D4] check finds nothing in a store with documents that were refounded, twice on two nodes, and finds entries of a generation that has ended', async () => {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = storeOver(database, clock)
  const nodes = [accountsOver(store, clock), accountsOver(store, clock)] as const
  const alice = nodes[0].device('alice')
  alice.connect()
  alice.edit([
    { root: 'labels', key: 'bob', value: 'Bob' },
    { root: 'grants', key: '3/bob', value: true },
    { root: 'fields', key: '0/writer-of-alice/name', value: 'Ada' },
  ])
  await nodes[0].accounts.idle()
  const old = await store.document('alice', 'roster')
  for (const name of ['roster', 'profile'] as const) await nodes[0].accounts.refound('alice', name)
  expect(await check(database)).toMatchObject({ findings: [] })
  const [once] = (await store.document('alice', 'roster')).parts
  await nodes[1].accounts.refound('alice', 'roster')
  expect(await check(database)).toMatchObject({ findings: [] })
  const doc = new Y.Doc()
  for (const part of (await store.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
  expect(generation(doc)).toBe(2)
  expect(doc.getMap('grants').toJSON()).toEqual({ '3/bob': true })
  expect(doc.getMap('labels').toJSON()).toEqual({ bob: 'Bob' })
  for (const part of [...old.parts, once as Uint8Array]) Y.applyUpdateV2(doc, part)
  await database.put(keys.snapshot('alice', 'roster'), Y.encodeStateAsUpdateV2(doc))
  expect((await check(database)).findings.map(({ what }) => what)).toEqual([
    'the roster has entries of an earlier generation',
    'the roster has two founders',
  ])
})
