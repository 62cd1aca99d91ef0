import type { Profile } from '@kith/client'
import {
  applyChanges,
  defaultLimits,
  flatMapsOf,
  type KeyChange,
  profileBytes,
  profileKey,
  profileRoot,
  rosterBytes,
} from '@kith/shared'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { backend } from '../support/backend.ts'
import { checkLimits, roomOf } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'
import { setLimits } from '../support/set-limits.ts'

test('[S3][D5] a profile above lowered limits accepts smaller levels, and changes of levels within the limits', () => {
  const profile = new Y.Doc()
  const limits = { ...defaultLimits, profileBytes: 100 }
  const set = (level: number, value: string): KeyChange[] => [
    { root: profileRoot, key: profileKey(level, 'writer-12', 'bio'), value },
  ]
  const check = (changes: KeyChange[]): void => checkLimits('profile', flatMapsOf(profile), changes, limits, () => 0)
  applyChanges(profile, set(1, 'x'.repeat(1_000)))
  check(set(1, 'x'.repeat(500)))
  check(set(2, 'small'))
  expect(() => check(set(1, 'x'.repeat(1_001)))).toThrow(expect.objectContaining({ code: 'profile-too-large' }))
  expect(() => check(set(2, 'x'.repeat(101)))).toThrow(expect.objectContaining({ code: 'profile-too-large' }))
})

test('[S3][D5] a roster names no more users than the limit, but removals, blocks and narrower privacy are always accepted', () => {
  const roster = new Y.Doc()
  const limits = { ...defaultLimits, relations: 2 }
  const check = (...changes: KeyChange[]): void => checkLimits('roster', flatMapsOf(roster), changes, limits, () => 0)
  const contact = (key: string, value: true | undefined = true): KeyChange => ({ root: 'contacts', key, value })
  const full = expect.objectContaining({ code: 'too-many-relations' })
  applyChanges(roster, [contact('bob'), { root: 'labels', key: 'carol', value: 'Carol' }])
  expect(() => check(contact('dave'))).toThrow(full)
  expect(() => check({ root: 'labels', key: 'dave', value: 'Dave' })).toThrow(full)
  expect(() => check({ root: 'grants', key: '1/dave', value: true })).toThrow(full)
  expect(() => check({ root: 'subscriptions', key: 'dave', value: true })).toThrow(full)
  // Bob keeps a grant, so the roster still names him.
  applyChanges(roster, [{ root: 'grants', key: '2/bob', value: true }])
  expect(() => check(contact('bob', undefined), contact('dave'))).toThrow(full)
  check({ root: 'grants', key: '1/bob', value: true }, contact('carol'))
  check({ root: 'labels', key: 'carol', value: undefined }, contact('dave'))
  check(
    { root: 'blocks', key: 'nonce-001/eve', value: true },
    { root: 'privacy', key: 'nonce-002/nobody', value: true },
  )
  check({ root: 'declined', key: 'eve', value: true }, contact('bob', undefined))
})

test('[D6][S3] a profile with the maximum of levels accepts fields at these levels, and at no other level', () => {
  const limits = { ...defaultLimits, profileLevels: 2 }
  const doc = new Y.Doc()
  const field = (level: number, name: string): KeyChange => ({
    root: profileRoot,
    key: profileKey(level, 'writer-12', name),
    value: 'x',
  })
  applyChanges(doc, [field(1, 'a'), field(2, 'a')])
  const standing = flatMapsOf(doc)
  const room = roomOf('profile', standing, limits)
  expect(room.take([field(1, 'b')], standing)).toBe(undefined)
  expect(room.take([field(3, 'a')], standing)).toBe('too-many-levels')
  expect(room.take([{ ...field(2, 'a'), value: undefined }], standing)).toBe(undefined)
  expect(room.take([field(3, 'a')], standing)).toBe(undefined)
  expect(room.take([field(2, 'b')], standing)).toBe('too-many-levels')
})

test('[D5] a label that was set many times counts with its last value only', async () => {
  const alice = await installation('alice').open()
  await setLimits(alice, { rosterBytes: 4_000 })
  const bob = alice.getProfile('bob')
  for (let count = 0; count < 13; count++) {
    bob.setLabel(`${count}`.padEnd(250, 'x'))
    await bob.save()
  }
  for (const id of ['carol', 'dave', 'eve', 'frank', 'grace']) {
    const profile = alice.getProfile(id)
    profile.setLabel('x'.repeat(250))
    await profile.save()
  }
  expect(alice.getProfile('grace').label).toHaveLength(250)
})

test('[D6][S3] in a full roster a removal frees exactly its bytes, and a removal of what is not there changes nothing', () => {
  const doc = new Y.Doc()
  const label = (key: string, length: number): KeyChange => ({ root: 'labels', key, value: 'x'.repeat(length) })
  applyChanges(doc, [label('a', 100), label('b', 100)])
  const standing = flatMapsOf(doc)
  const limits = { ...defaultLimits, rosterBytes: rosterBytes(standing) }
  const room = roomOf('roster', standing, limits)
  expect(room.take([{ root: 'labels', key: 'c', value: undefined }], standing)).toBe(undefined)
  expect(room.take([label('c', 1)], standing)).toBe('roster-too-large')
  expect(room.take([{ root: 'labels', key: 'a', value: undefined }], standing)).toBe(undefined)
  // Space that an entry frees is available to the next entry, not to the same one.
  expect(room.take([label('c', 100)], standing)).toBe('roster-too-large')
  room.endEntry()
  expect(room.take([label('c', 101)], standing)).toBe('roster-too-large')
  expect(room.take([label('c', 100)], standing)).toBe(undefined)
  expect(room.take([label('d', 1)], standing)).toBe('roster-too-large')
})

test('[S3][D5] each limit of content admits exactly as much as it says', () => {
  const limits = {
    ...defaultLimits,
    ...{ labelBytes: 10, fieldNameBytes: 4, profileBytes: 100, profileLevels: 2, relations: 2 },
  }
  const label = (key: string, length: number): KeyChange => ({ root: 'labels', key, value: 'x'.repeat(length) })
  const field = (level: number, name: string, length: number): KeyChange => ({
    ...{ root: profileRoot, key: profileKey(level, 'writer-12', name), value: 'x'.repeat(length) },
  })
  const after = (doc: Y.Doc, changes: readonly KeyChange[]): ReturnType<typeof flatMapsOf> => {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
    applyChanges(copy, changes)
    return flatMapsOf(copy)
  }
  const refusal = (code: string) => expect.objectContaining({ code })
  const roster = new Y.Doc()
  applyChanges(roster, [label('bob', 3)])
  const checkRoster = (changes: KeyChange[], rosterLimit = limits.rosterBytes): void => {
    const standing = flatMapsOf(roster)
    checkLimits('roster', standing, changes, { ...limits, rosterBytes: rosterLimit }, () => rosterBytes(standing))
  }
  for (const changes of [[label('carol', 5)], [label('bob', 4)], [label('bob', 4), label('carol', 1)]]) {
    const exact = rosterBytes(after(roster, changes))
    checkRoster(changes, exact)
    expect(() => checkRoster(changes, exact - 1)).toThrow(refusal('roster-too-large'))
  }
  // Space that a change frees is available only to the next change.
  const growing = rosterBytes(after(roster, [label('carol', 5)]))
  checkRoster([label('bob', 1), label('carol', 5)], growing)
  expect(() => checkRoster([label('bob', 1), label('carol', 5)], growing - 1)).toThrow(refusal('roster-too-large'))
  // Changes that do not grow the document, and removals, pass above the limit too.
  checkRoster([label('bob', 3)], 1)
  checkRoster([{ ...label('carol', 0), value: undefined }], 1)
  checkRoster([label('carol', 10)])
  expect(() => checkRoster([label('carol', 11)])).toThrow(
    expect.objectContaining({ code: 'label-too-long', addresses: ['carol'] }),
  )

  const profile = new Y.Doc()
  applyChanges(profile, [field(1, 'a', 1)])
  const check = (changes: KeyChange[], most = limits.profileBytes): void =>
    checkLimits('profile', flatMapsOf(profile), changes, { ...limits, profileBytes: most }, () => 0)
  for (const changes of [[field(1, 'b', 20)], [field(2, 'b', 20)], [field(1, 'a', 20)]]) {
    const exact = Math.max(...profileBytes(after(profile, changes)).values())
    check(changes, exact)
    expect(() => check(changes, exact - 1)).toThrow(refusal('profile-too-large'))
  }
  check([field(2, 'abcd', 1)])
  expect(() => check([field(2, 'abcde', 1)])).toThrow(refusal('field-name-too-long'))
  check([field(2, 'a', 1)])
  expect(() => check([field(2, 'a', 1), field(3, 'a', 1)])).toThrow(refusal('too-many-levels'))
  check([field(2, 'a', 1), { ...field(3, 'abcde', 1), value: undefined }])
  // The limits have been lowered since.
  applyChanges(profile, [field(2, 'a', 1), field(3, 'a', 1)])
  check([field(3, 'b', 1)])
  expect(() => check([field(4, 'a', 1)])).toThrow(refusal('too-many-levels'))
})

test('[R4][D5] a device at the roster limit makes blocks, narrower audiences, unfollows and removals, and no label', () => {
  const roster = new Y.Doc()
  const label = (key: string, length: number): KeyChange => ({ root: 'labels', key, value: 'x'.repeat(length) })
  applyChanges(roster, [label('bob', 100), { root: 'subscriptions', key: 'carol', value: true }])
  const standing = flatMapsOf(roster)
  const limits = { ...defaultLimits, rosterBytes: rosterBytes(standing) }
  const check = (...changes: KeyChange[]): void =>
    checkLimits('roster', standing, changes, limits, () => rosterBytes(standing))
  const room = roomOf('roster', standing, limits)
  const block: KeyChange = { root: 'blocks', key: 'nonce-01/eve', value: true }
  const full = expect.objectContaining({ code: 'roster-too-large' })
  for (const changes of [
    [block],
    [{ root: 'privacy', key: 'nonce-02/nobody', value: true }],
    [
      { root: 'subscriptions', key: 'carol', value: undefined },
      { root: 'declined', key: 'carol', value: true },
    ],
  ]) {
    check(...changes)
    expect(room.take(changes, standing)).toBe(undefined)
  }
  expect(() => check(label('eve', 1))).toThrow(full)
  expect(() => check(block, label('eve', 1))).toThrow(full)
  expect(room.take([block, label('eve', 1)], standing)).toBe('roster-too-large')
  // A smaller label together with a block leaves the rest as large as before.
  check(block, label('bob', 50))
})

test('[R4][S3] on a full roster the app still blocks, narrows its audience, unfollows and removes, and the server takes it', async () => {
  const { open, device } = await backend({ rosterBytes: 600 })
  const alice = await open('alice', { indexedDB: new IDBFactory() })
  await alice.enableAutoSyncContacts(false)
  const [bob, carol, dave] = ['bob', 'carol', 'dave'].map(id => alice.getProfile(id)) as [Profile, Profile, Profile]
  bob.subscribe(true)
  carol.setProfileAccessLevels([1])
  dave.setLabel('D'.repeat(250))
  for (const person of [bob, carol, dave]) await person.save()
  await alice.whenSynced()
  let isFull = false
  for (let count = 0; !isFull; count++) {
    const person = alice.getProfile(`person ${count}`)
    person.setProfileAccessLevels([])
    await person.save().catch(error => {
      expect(error).toMatchObject({ code: 'roster-too-large' })
      isFull = true
    })
  }
  dave.block(true)
  await dave.save()
  await alice.setPublicAudience('nobody')
  bob.subscribe(false)
  await bob.save()
  await carol.remove()
  await alice.whenSynced()
  const other = await device('alice')
  await other.whenSynced()
  expect(other.publicAudience).toBe('nobody')
  expect(other.getProfile('dave').isBlocked).toBe(true)
  expect(other.getProfile('bob').isSubscribed).toBe(false)
  expect(other.getProfile('carol').isContact).toBe(false)
  expect(alice.unsent).toBe(0)
})
