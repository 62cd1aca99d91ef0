import { ContactSynchronizer, type Kith } from '@kith/client'
import type { Store } from '@kith/server'
import {
  defaultLimits,
  type FieldValue,
  fieldBytes,
  isNarrowing,
  type Limits,
  parseProfileKey,
  profileBytes,
  rosterBytes,
  rosterEntryBytes,
  valueBytes,
} from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Backend, backend } from '../support/backend.ts'
import { coreOf } from '../support/client-internals.ts'
import { holdsAsync } from '../support/properties.ts'

/** `KITH_TEST_RUNS=500 npm test -- kept-whole` runs that many stories. */
const runs = Number(process.env['KITH_TEST_RUNS'] ?? 20)

/** Everything that the app sees of both documents, including the refused changes: root and key → value. */
function seenBy(kith: Kith): Map<string, FieldValue> {
  const { roster, profile } = coreOf(kith).store.documents
  const entries = [roster, profile].flatMap(own =>
    own.roots.flatMap(root => [...own.view.entries(root)].map(([key, value]) => [`${root} ${key}`, value] as const)),
  )
  return new Map(entries)
}

const edit = fc.oneof(
  fc.record({ type: fc.constant('label' as const), whom: fc.nat(30), size: fc.integer({ min: 1, max: 250 }) }),
  fc.record({ type: fc.constant('levels' as const), whom: fc.nat(30), levels: fc.subarray([0, 1, 2, 7]) }),
  fc.record({ type: fc.constant('block' as const), whom: fc.nat(30), on: fc.boolean() }),
  fc.record({ type: fc.constant('remove' as const), whom: fc.nat(30) }),
  fc.record({
    type: fc.constant('set' as const),
    level: fc.nat(9),
    name: fc.constantFrom('name', 'mood', 'photo', 'a field with a rather long name'),
    size: fc.constantFrom(0, 3, 100, 900, 5_000),
  }),
  fc.record({
    type: fc.constant('unset' as const),
    level: fc.nat(9),
    name: fc.constantFrom('name', 'mood', 'photo', 'a field with a rather long name'),
  }),
)

const story = fc.record({
  first: fc.array(edit, { minLength: 5, maxLength: 40, size: 'max' }),
  second: fc.array(edit, { maxLength: 15 }),
  unsent: fc.array(edit, { maxLength: 5 }),
  limits: fc.record({
    labelBytes: fc.constantFrom(10, 100, 256),
    rosterBytes: fc.constantFrom(300, 1_500, 8 * 1024 * 1024),
    profileBytes: fc.constantFrom(60, 1_000, 64 * 1024),
    profileLevels: fc.constantFrom(1, 4, 16),
    fieldNameBytes: fc.constantFrom(8, 64),
    frameBytes: fc.constantFrom(1_500, 1024 * 1024),
  }),
})

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

async function make(kith: Kith, edits: readonly Edit[]): Promise<void> {
  for (const one of edits) {
    if (one.type === 'set') await kith.ownProfile.set(one.name, new Uint8Array(one.size), { level: one.level })
    else if (one.type === 'unset') await kith.ownProfile.unset(one.name, { level: one.level })
    else {
      const person = kith.getProfile(`person-${one.whom}`)
      if (one.type === 'remove') await person.remove()
      if (one.type === 'label') person.setLabel('x'.repeat(one.size))
      if (one.type === 'levels') person.setProfileAccessLevels(one.levels)
      if (one.type === 'block') person.block(one.on)
      await person.save()
    }
  }
}

/** Returns why a server with these limits and this content has no room for an entry; `undefined` if it has room. */
function reasonAgainst(entry: string, value: FieldValue, there: Kith, limits: Limits): string | undefined {
  const [root = '', key = ''] = [entry.slice(0, entry.indexOf(' ')), entry.slice(entry.indexOf(' ') + 1)]
  const { roster, profile } = coreOf(there).store.documents
  if (root !== 'fields') {
    if (root === 'labels' && valueBytes(value) > limits.labelBytes) return 'label'
    // The private side always has room.
    if (isNarrowing({ root, key, value })) return undefined
    const old = roster.standing.get(root, key)
    const growth = rosterEntryBytes(root, key, value) - (old === undefined ? 0 : rosterEntryBytes(root, key, old))
    return rosterBytes(roster.standing) + growth > limits.rosterBytes ? 'roster' : undefined
  }
  const { level, name } = parseProfileKey(key) ?? { level: -1, name: '' }
  const levels = profileBytes(profile.standing)
  if (name.length > limits.fieldNameBytes) return 'name'
  if (!levels.has(level) && levels.size >= limits.profileLevels) return 'levels'
  if ((levels.get(level) ?? 0) + fieldBytes(name, value) > limits.profileBytes) return 'level'
  // A frame also contains a key and some numbers in addition to the value.
  return valueBytes(value) + 200 > limits.frameBytes ? 'frame' : undefined
}

async function settled(kith: Kith): Promise<void> {
  for (;;) {
    try {
      return await kith.whenSynced()
    } catch {
      // A refusal, which is reported once.
    }
  }
}

test('[D6] of documents at the limits, a server gets all that it has room for, and the devices lose nothing', async () => {
  const old = await backend()
  const roomy = await backend()
  let count = 0
  await holdsAsync(
    fc.asyncProperty(story, async ({ first, second, unsent, limits }) => {
      count++
      const user = `user-${count}`
      const phones = [1, 2].map(() => ({ indexedDB: new IDBFactory(), databaseName: 'mine' }))
      const before = await Promise.all(phones.map(phone => old.open(user, phone)))
      for (const [index, kith] of before.entries()) {
        await kith.enableAutoSyncContacts(false)
        await make(kith, index === 0 ? first : second)
      }
      for (const kith of [...before, ...before]) await kith.whenSynced()
      for (const kith of before) await kith.close()

      const all = { ...defaultLimits, ...limits }
      const small = await backend(limits)
      for (const [index, phone] of phones.entries()) {
        const alice = await small.open(user, { ...phone, connect: false })
        if (index === 0) await make(alice, unsent).catch(() => undefined)
        const seen = seenBy(alice)
        alice.connect()
        await settled(alice)
        await settled(alice)
        if (index === 0) expect(seenBy(alice)).toEqual(seen)
        else for (const [entry, value] of seen) expect(seenBy(alice).get(entry) ?? value).toBeDefined()
        const other = await small.device(user)
        await other.whenSynced()
        const there = seenBy(other)
        for (const [entry, value] of seenBy(alice)) {
          if (there.has(entry) && sizeOf(there.get(entry)) === sizeOf(value)) continue
          expect([entry, sizeOf(value), reasonAgainst(entry, value, other, all)]).not.toContain(undefined)
          expect([alice.status, alice.unsent > 0]).toEqual(['syncing', true])
        }
        await other.close()
        await alice.close()
      }
      const held = new Map<string, FieldValue>()
      for (const phone of phones) {
        const alice = await roomy.open(user, phone)
        for (const [entry, value] of seenBy(alice)) held.set(entry, value)
        await alice.whenSynced()
        expect([alice.status, alice.unsent]).toEqual(['synced', 0])
        await alice.close()
      }
      const last = await roomy.device(user)
      await last.whenSynced()
      expect([...seenBy(last).keys()].sort()).toEqual([...held.keys()].sort())
      await last.close()
      await small.close()
    }),
    runs,
  )
}, 3_600_000)

function sizeOf(value: FieldValue | undefined): number | undefined {
  return value === undefined ? undefined : valueBytes(value)
}

test('[D6] a change that a full server has no room for reaches it once the server refuses what took the room', async () => {
  const old = await backend()
  const phone = { indexedDB: new IDBFactory(), databaseName: 'mine' }
  const before = await old.open('alice', phone)
  await before.ownProfile.set('a field with a rather long name', '', { level: 0 })
  await before.ownProfile.set('photo', new Uint8Array(2_000), { level: 0 })
  await before.ownProfile.set('name', 'Alice', { level: 1 })
  await before.whenSynced()
  await before.close()
  const small = await backend({ fieldNameBytes: 8, profileLevels: 1, frameBytes: 1_500 })
  const alice = await small.open('alice', phone)
  await settled(alice)
  const other = await small.device('alice')
  await other.whenSynced()
  expect([...seenBy(other).values()]).toContain('Alice')
})

test('[D6] a refused change is offered again to a server with new limits, and is not reported again', async () => {
  // The store stays, and the device keeps its position in the feed.
  let store: Store | undefined
  const small = await backend({ labelBytes: 10, frameBytes: 2_000 }, own => {
    store = own
    return own
  })
  const large = await backend({ labelBytes: 20, frameBytes: 2_000 }, own => store ?? own)
  let there: Backend = small
  class Moving extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url.replace(/^ws:\/\/[^/]+/, there.wsUrl), protocols)
    }
  }
  const alice = await small.open('alice', {
    indexedDB: new IDBFactory(),
    WebSocket: Moving as never,
    token: () => there.token('alice'),
    connect: false,
  })
  const errors: string[] = []
  alice.on('error', error => errors.push(`${error.code} ${error.addresses?.join()}`))
  const syncer = new ContactSynchronizer(alice)
  await syncer.sync(['bob', 'carol'])
  for (const [id, label] of [
    ['bob', 'fifteen letters'],
    ['carol', 'thirty letters, or even more'],
  ] as const) {
    const person = alice.getProfile(id)
    person.setLabel(label)
    await person.save()
  }
  await alice.ownProfile.set('photo', new Uint8Array(5_000))
  alice.connect()
  await settled(alice)
  await settled(alice)
  const told = ['frame-too-large undefined', 'label-too-long bob,carol']
  expect([alice.status, alice.unsent, errors.sort()]).toEqual(['syncing', 3, told])
  there = large
  alice.disconnect()
  alice.connect()
  await settled(alice)
  await settled(alice)
  expect([alice.status, alice.unsent, errors.sort()]).toEqual(['syncing', 2, told])
  expect(alice.ownProfile.get('photo')).toHaveLength(5_000)
  const other = await large.device('alice')
  await other.whenSynced()
  expect([other.getProfile('bob').label, other.getProfile('carol').label]).toEqual(['fifteen letters', undefined])
})
