import type { Kith } from '@kith/client'
import { applyChanges, profileKey, profileRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  coreOf,
  decodeChanges,
  type OutboxRow,
  piecesOf,
  readMeta,
  rebuild,
  removalsBut,
  type StoredFrame,
  storeFrames,
  systemRandomness,
  writeMeta,
} from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { entry, rawUpdate } from '../support/raw-update.ts'
import { setLimits } from '../support/set-limits.ts'

/**
 * How a device processes what the server sends about its own documents: states, refusals, and updates under its own client id.
 */

/** A device with a contact and a label in its roster. As far as the device knows, the server has both. */
async function syncedDevice(): Promise<{ alice: Kith; server: Y.Doc }> {
  const alice = await installation('alice').open()
  await alice.enableAutoSyncContacts(false)
  const bob = alice.getProfile('bob')
  bob.setProfileAccessLevels([1])
  bob.setLabel('Bob')
  await bob.save()
  const { store } = coreOf(alice)
  const { roster } = store.documents
  const server = new Y.Doc()
  Y.applyUpdate(server, Y.encodeStateAsUpdate(roster.doc))
  await store.work(async ({ db }) => {
    await db.outbox.clear()
    await writeMeta(db, 'sent', { roster: roster.ownClock, profile: 0 })
  })
  return { alice, server }
}

test('[D6][R4] a document that is rebuilt on the server’s state does not restore entries that another device removed', async () => {
  const { alice, server } = await syncedDevice()
  applyChanges(server, [{ root: 'grants', key: '1/bob', value: undefined }])
  const { store } = coreOf(alice)
  await rebuild(store, 'roster', Y.encodeStateAsUpdate(server), systemRandomness)
  expect(alice.getProfile('bob').accessLevels).toEqual([])
  expect(await store.db.outbox.count()).toBe(0)
})

test('[D6] a rebuilt document has an unused client id for its own document, and the other document keeps its id', async () => {
  const { alice, server } = await syncedDevice()
  const { store } = coreOf(alice)
  await store.work(async ({ db }) => writeMeta(db, 'sent', { roster: 7, profile: 3 }))
  const before = store.documents.roster.clientId
  await rebuild(store, 'roster', Y.encodeStateAsUpdate(server), systemRandomness)
  expect(store.documents.roster.clientId).not.toBe(before)
  expect(await readMeta(store.db, 'sent')).toEqual({ roster: 0, profile: 3 })
})

test.each(['roster', 'profile'] as const)(
  '[D6] an update of the %s that another device made under this device’s client id is not applied',
  async name => {
    const { alice } = await syncedDevice()
    await alice.ownProfile.set('name', 'Ada')
    const { store } = coreOf(alice)
    const own = store.documents[name]
    const copy = new Y.Doc()
    copy.clientID = own.clientId
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(own.doc))
    copy.clientID = own.clientId
    const before = Y.encodeStateVector(copy)
    if (name === 'roster') applyChanges(copy, [{ root: 'labels', key: 'bob', value: 'a copy’s' }])
    else applyChanges(copy, [{ root: profileRoot, key: profileKey(0, 'othercopy', 'mood'), value: 'a copy’s' }])
    const type = name === 'roster' ? 'rosterSync' : 'ownProfile'
    const ahead: StoredFrame = { type, step: 'update', payload: Y.encodeStateAsUpdate(copy, before) }
    const known: StoredFrame = { type, step: 'update', payload: Y.encodeStateAsUpdate(own.doc) }
    const stored = await store.db.updates.count()
    // Its own content comes back from any server, and is no sign of a copy.
    expect(await storeFrames(store, [known], systemRandomness)).toMatchObject({ cloned: new Set() })
    expect(await storeFrames(store, [ahead], systemRandomness)).toEqual({
      cloned: new Set([name]),
      incomplete: new Set(),
      outdated: new Set(),
    })
    expect([alice.getProfile('bob').label, alice.ownProfile.get('mood')]).toEqual(['Bob', undefined])
    expect(await store.db.updates.count()).toBe(stored + 1)
  },
)

test('[D5] a rebuild keeps which refusals the app was given, of the entries of both documents', async () => {
  const { alice, server } = await syncedDevice()
  const { store } = coreOf(alice)
  const bob = alice.getProfile('bob')
  bob.setLabel('Robert')
  await bob.save()
  await alice.ownProfile.set('name', 'Ada')
  bob.setProfileAccessLevels([1, 2])
  await bob.save()
  await alice.ownProfile.set('mood', 'well')
  // These two were refused and reported, and are offered again.
  const rows = await store.db.outbox.toArray()
  const [label, name] = rows.map(row => row.seq as number) as [number, number]
  for (const [seq, reported] of [
    [label, 'label-too-long'],
    [name, 'profile-too-large'],
  ] as const) {
    await store.db.outbox.put({ ...((await store.db.outbox.get(seq)) as OutboxRow), reported })
  }
  await rebuild(store, 'roster', Y.encodeStateAsUpdate(server), systemRandomness)
  const rebuilt = await store.db.outbox.toArray()
  const marksOf = ({ document, ...row }: OutboxRow): unknown => [
    document,
    decodeChanges(row.changes).map(({ key }) => key.replace(/^0\/[^/]+\//, '')),
    Object.fromEntries(Object.entries(row).filter(([field]) => !['seq', 'update', 'changes', 'seen'].includes(field))),
  ]
  expect(rebuilt.map(marksOf)).toStrictEqual([
    ['roster', ['bob'], { reported: 'label-too-long' }],
    ['profile', ['name'], { reported: 'profile-too-large' }],
    ['roster', ['2/bob'], {}],
    ['profile', ['mood'], {}],
  ])
})

test.each(['rosterSync', 'ownProfile'] as const)(
  '[R3] a %s of the server that contains nothing changes nothing on the device and writes nothing',
  async type => {
    const { alice } = await syncedDevice()
    const { store } = coreOf(alice)
    const stored = await store.db.updates.count()
    const changes: boolean[] = []
    store.changing.on(({ isChanged }) => changes.push(isChanged))
    for (const step of ['step2', 'update'] as const) {
      const empty: StoredFrame = { type, step, payload: Y.encodeStateAsUpdate(new Y.Doc()) }
      await storeFrames(store, [empty], systemRandomness)
    }
    expect([await store.db.updates.count(), changes]).toEqual([stored, [false, false]])
  },
)

test('[V6] removals that belong to unsent changes are not sent ahead of them', () => {
  const device = new Y.Doc()
  for (const key of ['a', 'b', 'c']) applyChanges(device, [{ root: 'labels', key, value: `of ${key}` }])
  const server = Y.encodeStateAsUpdate(device)
  const vector = Y.encodeStateVector(device)
  const updates: Uint8Array[] = []
  device.on('update', update => updates.push(update))
  for (const key of ['a', 'c']) applyChanges(device, [{ root: 'labels', key, value: undefined }])
  const lacking = Y.encodeStateAsUpdate(device, vector)
  const labelsAfter = (removals: readonly Uint8Array[]): string[] => {
    const copy = new Y.Doc()
    for (const update of [server, ...removals]) Y.applyUpdate(copy, update)
    return [...copy.getMap('labels').keys()].sort()
  }
  expect(labelsAfter(piecesOf(lacking, 1_000, device, []).removals)).toEqual(['b'])
  expect(labelsAfter(removalsBut(lacking, [], 1_000, device))).toEqual(['b'])
  expect(labelsAfter(removalsBut(lacking, updates.slice(0, 1), 1_000, device))).toEqual(['a', 'b'])
  expect(labelsAfter(removalsBut(lacking, updates, 1_000, device))).toEqual(['a', 'b', 'c'])
})

test('[D6][V5] removed values in a document without garbage collection stay removed when it is cut into pieces', () => {
  const device = new Y.Doc({ gc: false })
  for (const key of ['a', 'b', 'c']) applyChanges(device, [{ root: 'labels', key, value: `of ${key}` }])
  applyChanges(device, [{ root: 'labels', key: 'a', value: undefined }])
  const { removals, content } = piecesOf(Y.encodeStateAsUpdate(device), 40, device, [])
  expect(content.length).toBeGreaterThan(1)
  const copy = new Y.Doc()
  for (const piece of [...removals, ...content]) Y.applyUpdate(copy, piece)
  expect(copy.getMap('labels').toJSON()).toEqual({ b: 'of b', c: 'of c' })
})

/** An update with a contact, whose list of removals is truncated. */
const cutOff = rawUpdate([{ client: 7, clock: 0, structs: [entry('contacts', 'carol', true)] }]).slice(0, -1)

test.each([
  ['is no update', Uint8Array.of(9, 9, 9, 9, 9)],
  ['ends within its removals', Uint8Array.of(...cutOff, 1, 7)],
])(
  '[D6] of what the server sends nothing is stored if it %s: the device loses nothing, says unavailable, and opens again',
  async (_, payload) => {
    const phone = installation('alice')
    const alice = await phone.open()
    await alice.enableAutoSyncContacts(false)
    const bob = alice.getProfile('bob')
    bob.setLabel('Bob')
    await bob.save()
    const { store } = coreOf(alice)
    const stored = await store.db.updates.count()
    for (const step of ['step2', 'update'] as const) {
      const taking = storeFrames(store, [{ type: 'rosterSync', step, payload }], systemRandomness)
      await expect(taking).rejects.toMatchObject({
        code: 'unavailable',
        message: 'The server sent an update that cannot be read',
      })
    }
    await expect(rebuild(store, 'roster', payload, systemRandomness)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await store.db.updates.count()).toBe(stored)
    expect([alice.getProfile('bob').label, alice.getProfile('carol').isContact]).toEqual(['Bob', false])
    await alice.close()
    const again = await phone.open()
    expect([again.getProfile('bob').label, again.getProfile('carol').isContact]).toEqual(['Bob', false])
  },
)

test('[D5][D6] an acknowledged value that a server lost and does not admit is not reported when a later value of the same key was already refused', async () => {
  const { alice, server } = await syncedDevice()
  const { store } = coreOf(alice)
  const bob = alice.getProfile('bob')
  bob.setLabel('Robert')
  await bob.save()
  await setLimits(alice, { labelBytes: 2 })
  const refusedRows = async (): Promise<unknown[]> =>
    (await store.db.outbox.toArray())
      .filter(row => row.refusal !== undefined)
      .map(row => [row.refusal, decodeChanges(row.changes).map(({ key, value }) => [key, value])])
  const state = Y.encodeStateAsUpdate(server)
  expect(await rebuild(store, 'roster', state, systemRandomness)).toMatchObject({
    refused: [{ code: 'label-too-long', addresses: ['bob'] }],
  })
  expect(await refusedRows()).toEqual([['label-too-long', [['bob', 'Robert']]]])
  const empty = Y.encodeStateAsUpdate(new Y.Doc())
  expect(await rebuild(store, 'roster', empty, systemRandomness)).toEqual({ refused: [], isExplained: true })
  expect(await refusedRows()).toEqual([['label-too-long', [['bob', 'Robert']]]])
  expect([alice.getProfile('bob').label, alice.getProfile('bob').accessLevels]).toEqual(['Robert', [1]])
})
