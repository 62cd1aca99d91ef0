import type { Kith, KithOptions } from '@kith/client'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { asleep } from '../support/asleep.ts'
import { backend } from '../support/backend.ts'
import { sharedByTabs } from '../support/channels.ts'
import {
  coreOf,
  decodeChanges,
  encodeChanges,
  OwnDocument,
  rebuild,
  storeFrames,
  systemRandomness,
  writeMeta,
} from '../support/client-internals.ts'
import { done } from '../support/database-copy.ts'
import { nextEvent } from '../support/next-event.ts'

/** Simulates that a server has everything. */
async function acknowledged(kith: Kith): Promise<void> {
  await coreOf(kith).store.work(async ({ db, documents }) => {
    await db.outbox.clear()
    await writeMeta(db, 'sent', { roster: documents.roster.ownClock, profile: 0 })
  })
}

/** A server without the roster refused a change, so the device built the roster on an empty state. */
function rebuiltOnNothing(kith: Kith): Promise<unknown> {
  return rebuild(coreOf(kith).store, 'roster', Y.encodeStateAsUpdate(new Y.Doc()), systemRandomness)
}

test.each([
  ['once', 1],
  ['twice', 2],
])(
  '[V6][D1] a tab that slept while another one rebuilt the roster %s, revoked a grant and lost the database, brings back neither grant nor label',
  async (_, rebuilds) => {
    const { open } = await backend()
    const indexedDB = new IDBFactory()
    const shared = {
      indexedDB,
      ...sharedByTabs(),
      databaseName: 'alice',
      connect: false,
    } satisfies Partial<KithOptions>
    const [one, two] = [await open('alice', shared), await open('alice', shared)]
    const [first, second] = [coreOf(one).store, coreOf(two).store]
    const [bob, carol] = ['bob', 'carol'].map(id => one.getProfile(id))
    for (const person of [bob, carol]) {
      person?.setProfileAccessLevels([1])
      person?.setLabel('at first')
      await person?.save()
    }
    await acknowledged(one)
    if (rebuilds === 2) await rebuiltOnNothing(one)
    await second.refresh()
    const wake = asleep(two)
    await rebuiltOnNothing(one)
    bob?.setProfileAccessLevels([])
    bob?.setLabel('Robert')
    await bob?.save()
    carol?.setProfileAccessLevels([2])
    await carol?.save()
    const lost = nextEvent(one, 'error', ({ code }) => code === 'database-lost')
    await done(indexedDB.deleteDatabase('alice'))
    await lost
    await first.refresh()
    wake()
    await second.refresh()
    await first.refresh()
    for (const kith of [one, two]) {
      const [bob, carol] = ['bob', 'carol'].map(id => kith.getProfile(id))
      expect([bob?.accessLevels, bob?.label]).toEqual([[], 'Robert'])
      expect([carol?.accessLevels, carol?.label]).toEqual([[2], 'at first'])
    }
  },
)

test.each([
  ['unsent', false],
  ['acknowledged', true],
])(
  '[V6][D1] when each of two tabs rebuilt the roster in another database, what either revoked or renamed afterwards stays, %s too, and the outbox says it once',
  async (_, isAcknowledged) => {
    const { open } = await backend()
    // It is random which of two entries that were made again takes precedence in Yjs.
    for (let round = 0; round < 8; round++) {
      const indexedDB = new IDBFactory()
      const databaseName = `alice-${round}`
      const shared = { indexedDB, ...sharedByTabs(), databaseName, connect: false } satisfies Partial<KithOptions>
      const [one, two] = [await open('alice', shared), await open('alice', shared)]
      const [first, second] = [coreOf(one).store, coreOf(two).store]
      for (const id of ['bob', 'carol', 'dave']) {
        const person = one.getProfile(id)
        person.setProfileAccessLevels([1])
        person.setLabel('at first')
        await person.save()
      }
      await acknowledged(one)
      await second.refresh()
      const wakeOne = asleep(one)
      const erin = two.getProfile('erin')
      erin.setLabel('known to one tab')
      await erin.save()
      await acknowledged(two)
      await rebuiltOnNothing(two)
      await revokeAndRename(two, 'bob')
      if (isAcknowledged) await acknowledged(two)
      const wakeTwo = asleep(two)
      await done(indexedDB.deleteDatabase(databaseName))
      wakeOne()
      await first.refresh()
      await rebuiltOnNothing(one)
      await revokeAndRename(one, 'carol')
      wakeTwo()
      await second.refresh()
      await first.refresh()
      expect(first.documents.known).toEqual(second.documents.known)
      for (const kith of [one, two]) {
        const people = ['bob', 'carol', 'dave'].map(id => kith.getProfile(id))
        expect(people.map(({ accessLevels, label }) => [accessLevels, label])).toEqual([
          [[], 'renamed'],
          [[], 'renamed'],
          [[1], 'at first'],
        ])
      }
      // The outbox does not repeat what the documents already contain: another device may change it meanwhile.
      for (const { update, changes } of await first.db.outbox.toArray()) {
        const values = decodeChanges(changes).filter(({ value }) => value !== undefined)
        const entries = Y.decodeUpdate(update).structs.filter(struct => struct instanceof Y.Item)
        expect(values).toHaveLength(entries.length)
      }
    }
  },
)

test('[D6][V6] every tab knows of a removal that a server refused, and that the next server has no entry for', async () => {
  const { open } = await backend()
  const shared = {
    ...{ indexedDB: new IDBFactory(), ...sharedByTabs() },
    ...{ databaseName: 'alice', connect: false },
  } satisfies Partial<KithOptions>
  const [one, two] = [await open('alice', shared), await open('alice', shared)]
  const [first, second] = [coreOf(one).store, coreOf(two).store]
  await rebuiltOnNothing(one)
  await first.work(async ({ db }) => {
    const changes = encodeChanges([{ root: 'subscriptions', key: 'bob', value: undefined }])
    const refused = { refusal: 'malformed', reported: 'malformed' } as const
    await db.outbox.add({ document: 'roster', update: new Uint8Array(), changes, ...refused })
  })
  await second.refresh()
  const update = new OwnDocument('roster', 2 ** 31).write([{ root: 'labels', key: 'carol', value: 'Carol' }])
  const frame = { type: 'rosterSync', step: 'update', payload: update as Uint8Array } as const
  await storeFrames(first, [frame], systemRandomness)
  await second.refresh()
  for (const { documents } of [first, second]) expect(documents.removed.roster).toEqual(new Set(['subscriptions bob']))
})

async function revokeAndRename(kith: Kith, id: string): Promise<void> {
  const person = kith.getProfile(id)
  person.setProfileAccessLevels([])
  person.setLabel('renamed')
  await person.save()
}
