import type { Kith } from '@kith/client'
import { type KeyChange, profileKey, profileRoot } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  coreOf,
  edit,
  encodeChanges,
  OwnDocument,
  rebuild,
  storeFrames,
  systemRandomness,
  writeMeta,
} from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

/** Client ids are random, so tests that depend on their order run several times. */
const rounds = 8

async function quiet(): Promise<Kith> {
  const alice = await installation('alice').open()
  await alice.enableAutoSyncContacts(false)
  return alice
}

/** Simulates that a server has everything from the device. */
async function acknowledged(kith: Kith): Promise<void> {
  const { store } = coreOf(kith)
  await store.work(async ({ db, documents }) => {
    await db.outbox.clear()
    await writeMeta(db, 'sent', { roster: documents.roster.ownClock, profile: documents.profile.ownClock })
  })
}

async function take(kith: Kith, document: 'roster' | 'profile', payload: Uint8Array): Promise<void> {
  const type = document === 'roster' ? ('rosterSync' as const) : ('ownProfile' as const)
  await storeFrames(coreOf(kith).store, [{ type, step: 'update', payload }], systemRandomness)
}

async function rebuiltOnNothing(kith: Kith, document: 'roster' | 'profile'): Promise<void> {
  await rebuild(coreOf(kith).store, document, Y.encodeStateAsUpdate(new Y.Doc()), systemRandomness)
}

const cases: readonly [what: string, document: 'roster' | 'profile', entries: readonly KeyChange[]][] = [
  ['a label that another device replaced', 'roster', label('v1', 'v2', 'v3')],
  ['a label that another device removed', 'roster', label('v1', 'v2', undefined)],
  ['a grant that another device revoked', 'roster', grant(undefined, true, undefined)],
  ['a field that another device erased', 'profile', field('old', 'private', undefined)],
]

function label(...values: KeyChange['value'][]): KeyChange[] {
  return values.map(value => ({ root: 'labels', key: 'bob', value }))
}

function grant(...values: KeyChange['value'][]): KeyChange[] {
  return [
    { root: 'grants', key: '1/bob', value: true },
    ...values.map(value => ({ root: 'grants', key: '1/bob', value })),
  ]
}

function field(...values: KeyChange['value'][]): KeyChange[] {
  return values.map(value => ({ root: profileRoot, key: profileKey(0, 'laptop', 'phone'), value }))
}

for (const isAcknowledged of [true, false]) {
  test.each(cases)(
    `[D6][V6] %s stays so after a device made it again, a third one brought an older entry, and ${isAcknowledged ? 'a' : 'no'} server took that`,
    async (_what, document, entries) => {
      for (let round = 0; round < rounds; round++) {
        const alice = await quiet()
        const laptop = new OwnDocument(document, 2 ** 31)
        const [last, ...before] = [...entries].reverse()
        const [newest, ...older] = before
        for (const change of older.reverse()) laptop.write([change])
        const stale = Y.encodeStateAsUpdate(laptop.doc)
        laptop.write([newest as KeyChange])
        await take(alice, document, Y.encodeStateAsUpdate(laptop.doc))
        await acknowledged(alice)
        await rebuiltOnNothing(alice, document)
        if (isAcknowledged) await acknowledged(alice)
        await take(alice, document, stale)
        if (isAcknowledged) await acknowledged(alice)
        laptop.write([last as KeyChange])
        await take(alice, document, Y.encodeStateAsUpdate(laptop.doc))
        const own = coreOf(alice).store.documents[document]
        laptop.take(Y.encodeStateAsUpdate(own.doc))
        const { root, key, value } = last as KeyChange
        expect([own.view.get(root, key), laptop.standing.get(root, key)]).toEqual([value, value])
        await alice.close()
      }
    },
  )
}

test.each([
  ['a grant', 'roster', { root: 'grants', key: '1/bob', value: true }],
  ['a contact', 'roster', { root: 'contacts', key: 'bob', value: true }],
  ['a field', 'profile', { root: profileRoot, key: profileKey(0, 'laptop', 'phone'), value: '1' }],
] as const)(
  '[V6][D6] %s that two devices made again, and one of them removed, stays removed on both',
  async (_what, document, entry) => {
    for (let round = 0; round < rounds; round++) {
      const [phone, tablet] = [await quiet(), await quiet()]
      const laptop = new OwnDocument(document, 2 ** 31)
      laptop.write([entry])
      for (const device of [phone, tablet]) {
        await take(device, document, Y.encodeStateAsUpdate(laptop.doc))
        await acknowledged(device)
        await rebuiltOnNothing(device, document)
        await acknowledged(device)
      }
      await edit(coreOf(phone).store, document, () => [{ ...entry, value: undefined }])
      const stateOf = (device: Kith): Uint8Array => Y.encodeStateAsUpdate(coreOf(device).store.documents[document].doc)
      if (round % 2 === 0) await take(tablet, document, stateOf(phone))
      await take(phone, document, stateOf(tablet))
      await take(tablet, document, stateOf(phone))
      for (const device of [phone, tablet]) {
        expect(coreOf(device).store.documents[document].view.get(entry.root, entry.key)).toBeUndefined()
        await device.close()
      }
    }
  },
)

test.each([
  ['a label', 'roster', { root: 'labels', key: 'bob', value: 'Bob' }],
  ['a field', 'profile', { root: profileRoot, key: profileKey(0, 'laptop', 'phone'), value: '1' }],
] as const)(
  '[D5][D6] %s that the user saves after a rebuild stands on every device when an old entry comes back, removed',
  async (_what, document, entry) => {
    for (let round = 0; round < rounds; round++) {
      const alice = await quiet()
      const laptop = new OwnDocument(document, 2 ** 32 - 2 ** (17 + round))
      laptop.write([entry])
      laptop.write([{ ...entry, value: undefined }])
      await take(alice, document, Y.encodeStateAsUpdate(laptop.doc))
      await rebuiltOnNothing(alice, document)
      await edit(coreOf(alice).store, document, () => [{ ...entry, value: 'new' }])
      await acknowledged(alice)
      const { doc } = coreOf(alice).store.documents[document]
      laptop.take(Y.encodeStateAsUpdate(doc))
      expect(laptop.standing.get(entry.root, entry.key)).toBe('new')
      await alice.close()
    }
  },
)

test('[D5][D6] a refused change stays in view when another device makes again an entry of its key that had been removed', async () => {
  const alice = await quiet()
  const { store } = coreOf(alice)
  await edit(store, 'roster', () => label('Bob'))
  await edit(store, 'roster', () => label(undefined))
  await acknowledged(alice)
  await rebuiltOnNothing(alice, 'roster')
  const changes = encodeChanges(label('Robert'))
  const refused = { refusal: 'roster-too-large', reported: 'roster-too-large' } as const
  await store.work(async ({ db }) => {
    await db.outbox.add({ document: 'roster', update: new Uint8Array(), changes, ...refused })
  })
  const laptop = new OwnDocument('roster', 2 ** 31)
  laptop.write(label('Bob'), 77)
  await take(alice, 'roster', Y.encodeStateAsUpdate(laptop.doc))
  const { roster } = store.documents
  expect([roster.standing.get('labels', 'bob'), roster.view.get('labels', 'bob')]).toEqual([undefined, 'Robert'])
})
