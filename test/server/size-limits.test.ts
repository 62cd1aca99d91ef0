import {
  applyChanges,
  defaultLimits,
  type ErrorCode,
  flatMapsOf,
  type KeyChange,
  type Limits,
  profileBytes,
  profileKey,
  profileRoot,
  rosterBytes,
} from '@kith/shared'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { entry, rawUpdate } from '../support/raw-update.ts'
import { admit, profileRules, rosterRules, StoredDocument, sizeError } from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

test('[S3] a profile above lowered limits accepts smaller levels, and changes of levels within the limits', () => {
  const device = new Y.Doc()
  const set = (level: number, value: string): Uint8Array => {
    const before = Y.encodeStateVector(device)
    applyChanges(device, [{ root: profileRoot, key: profileKey(level, 'writer-12', 'bio'), value }])
    return Y.encodeStateAsUpdate(device, before)
  }
  const document = new StoredDocument('profile', [])
  const limits = limitsWith({ profileBytes: 100 })
  const take = (update: Uint8Array): string | undefined => {
    const error = sizeError('profile', document, update, 'content', limits)
    if (!error) document.apply(apply => apply(update))
    return error
  }
  document.apply(apply => apply(set(1, 'x'.repeat(1_000))))
  expect(take(set(1, 'x'.repeat(500)))).toBe(undefined)
  expect(take(set(2, 'small'))).toBe(undefined)
  expect(take(set(2, 'x'.repeat(101)))).toBe('profile-too-large')
})

test('[D6][S3] a full roster accepts a label that replaces one of the same length', () => {
  const device = new Y.Doc()
  const update = (key: string, value: string | undefined): Uint8Array => {
    const before = Y.encodeStateVector(device)
    applyChanges(device, [{ root: 'labels', key, value }])
    return Y.encodeStateAsUpdate(device, before)
  }
  const document = new StoredDocument('roster', [])
  const limits = limitsWith({ rosterBytes: 1000 })
  const take = (bytes: Uint8Array, adds: 'content' | 'history' = 'content'): string | undefined => {
    const error = sizeError('roster', document, bytes, adds, limits)
    if (!error) document.apply(apply => apply(bytes))
    return error
  }
  expect(take(update('bob', 'x'.repeat(900)))).toBe(undefined)
  expect(take(update('bob', 'y'.repeat(900)))).toBe(undefined)
  expect(take(update('bob', 'z'.repeat(990)))).toBe('roster-too-large')
})

describe('[S3] the levels of a profile are counted for updates of any size', () => {
  const limits = limitsWith({ profileLevels: 16 })
  const client = 5
  const keyOf = (level: number): string => profileKey(level, 'writer-1', 'a')

  /**
   * A profile in which one client has set a field at each of these levels, and has removed those of the `emptied` levels again.
   */
  function profileOf(levels: readonly number[], emptied: readonly number[]): StoredDocument {
    const document = new StoredDocument('profile', [])
    const structs = [...levels, ...emptied].map(level => entry(profileRoot, keyOf(level), true))
    const removals = emptied.length === 0 ? [] : [{ client, clock: levels.length, length: emptied.length }]
    document.apply(apply => apply(rawUpdate([{ client, clock: 0, structs }], removals)))
    expect(profileBytes(flatMapsOf(document.doc)).size).toBe(levels.length)
    return document
  }

  const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index)

  test.each([
    [6, undefined],
    [7, 'too-many-levels'],
    [10, 'too-many-levels'],
  ])('10 levels, and %i more by one small update', (count, error) => {
    const document = profileOf(range(0, 10), [])
    const structs = range(10, count).map(level => entry(profileRoot, keyOf(level), true))
    const update = rawUpdate([{ client: 6, clock: 0, structs }])
    expect(sizeError('profile', document, update, 'content', limits)).toBe(error)
  })

  test.each([
    [6, undefined],
    [7, 'too-many-levels'],
    [10, 'too-many-levels'],
  ])('10 levels, and %i that were emptied filled again, each in 5 bytes', (count, error) => {
    const document = profileOf(range(0, 10), range(10, 10))
    const structs = range(10, count).map(clock => entry(profileRoot, '', true, { client, clock }))
    const update = rawUpdate([{ client: 6, clock: 0, structs }])
    expect(admit(document.doc, update, profileRules(limits)).state).toBe('admitted')
    expect(sizeError('profile', document, update, 'content', limits)).toBe(error)
  })
})

test('[S3] removed fields that are restored in 5 bytes each count with name and value', () => {
  const limits = limitsWith({ profileLevels: 16 })
  const client = 5
  // 97 bytes each: together slightly more than the limit.
  const names = Array.from({ length: 676 }, (_, index) => `${index}`.padStart(64, 'n'))
  const structs = names.map(name => entry(profileRoot, profileKey(0, 'writer-1', name), true))
  const document = new StoredDocument('profile', [])
  document.apply(apply => apply(rawUpdate([{ client, clock: 0, structs }])))
  document.apply(apply => apply(rawUpdate([], [{ client, clock: 0, length: 15 }])))
  const bringBack = (count: number): Uint8Array => {
    const again = Array.from({ length: count }, (_, clock) => entry(profileRoot, '', true, { client, clock }))
    return rawUpdate([{ client: 6, clock: 0, structs: again }])
  }
  expect(bringBack(15).length).toBeLessThan(100)
  expect(sizeError('profile', document, bringBack(14), 'content', limits)).toBe(undefined)
  expect(sizeError('profile', document, bringBack(15), 'content', limits)).toBe('profile-too-large')
})

describe('[S3] a document counts with its size in memory, however little of it is stored', () => {
  const limits = limitsWith({ rosterBytes: 100_000, historyBytes: 200_000 })

  /**
   * Two keys that one client overwrites alternately. Yjs keeps a struct for each change, and stores all of them in some bytes.
   */
  function overwritten(times: number): StoredDocument {
    const device = new Y.Doc()
    for (let count = 0; count < times; count++) device.getMap('labels').set(count % 2 ? 'a' : 'b', 'x')
    const document = new StoredDocument('roster', [Y.encodeStateAsUpdateV2(device)])
    expect(document.storedBytes).toBeLessThan(200)
    return document
  }

  const label = rawUpdate([{ client: 6, clock: 0, structs: [entry('labels', 'c', 'a label')] }])

  test('[S3] a document has a bound with its history, and an update that only removes has none', () => {
    for (const adds of ['content', 'history'] as const) {
      expect(sizeError('roster', overwritten(19_000), label, adds, limits)).toBe(undefined)
      expect(sizeError('roster', overwritten(21_000), label, adds, limits)).toBe('roster-too-large')
    }
    expect(sizeError('roster', overwritten(21_000), label, 'nothing', limits)).toBe(undefined)
  })
})

test('[S3] a roster counts with its content, however few bytes of it are stored', () => {
  const device = new Y.Doc()
  const contacts = Array.from({ length: 5_000 }, (_, index) => `${index}`.padStart(4, 'c'))
  applyChanges(
    device,
    contacts.map(key => ({ root: 'contacts', key, value: true })),
  )
  const document = new StoredDocument('roster', [Y.encodeStateAsUpdateV2(device)])
  const content = rosterBytes(flatMapsOf(document.doc))
  const limits = limitsWith({ rosterBytes: content + 40 })
  expect(content).toBeGreaterThan(document.storedBytes + 1_000)
  const label = (length: number): Uint8Array =>
    rawUpdate([{ client: 6, clock: 0, structs: [entry('labels', 'c', 'x'.repeat(length))] }])
  expect(sizeError('roster', document, label(20), 'content', limits)).toBe(undefined)
  expect(sizeError('roster', document, label(60), 'content', limits)).toBe('roster-too-large')
})

test('[S3] a roster at its limit accepts as much as was removed, and no more', () => {
  const device = new Y.Doc()
  const update = (key: string, value: string | undefined): Uint8Array => {
    const before = Y.encodeStateVector(device)
    applyChanges(device, [{ root: 'labels', key, value }])
    return Y.encodeStateAsUpdate(device, before)
  }
  const document = new StoredDocument('roster', [])
  const limits = limitsWith({ rosterBytes: 1000 })
  const take = (bytes: Uint8Array, adds: 'content' | 'nothing' = 'content'): string | undefined => {
    const error = sizeError('roster', document, bytes, adds, limits)
    if (!error) document.apply(apply => apply(bytes))
    return error
  }
  for (const key of ['a', 'b', 'c']) expect(take(update(key, key.repeat(300)))).toBe(undefined)
  expect(take(update('a', undefined), 'nothing')).toBe(undefined)
  expect(take(update('d', 'd'.repeat(300)))).toBe(undefined)
  expect(take(update('e', 'e'.repeat(300)))).toBe('roster-too-large')
})

test('[S3] with the history of what was removed, a roster takes exactly the bound of history, and not one byte more', () => {
  const device = new Y.Doc()
  // In V2, so that the parts on disk are longer than the document that they form.
  const parts: Uint8Array[] = []
  device.on('updateV2', (bytes: Uint8Array) => parts.push(bytes))
  for (const key of ['a', 'b', 'c']) {
    applyChanges(device, [{ root: 'labels', key, value: key.repeat(300) }])
    applyChanges(device, [{ root: 'labels', key, value: undefined }])
  }
  const document = new StoredDocument('roster', [Y.encodeStateAsUpdateV2(new Y.Doc()), ...parts])
  const encodedBytes = Y.encodeStateAsUpdateV2(document.doc).length
  const update = (length: number): Uint8Array =>
    rawUpdate([{ client: 6, clock: 0, structs: [entry('labels', 'd', 'x'.repeat(length))] }])
  const total = encodedBytes + update(300).length
  expect(document.storedBytes + update(300).length).toBeGreaterThan(total)
  expect(update(301).length).toBe(update(300).length + 1)
  for (const limits of [
    limitsWith({ rosterBytes: 100, historyBytes: total }),
    limitsWith({ rosterBytes: total / 2, historyBytes: 1 }),
  ]) {
    expect(sizeError('roster', document, update(300), 'history', limits)).toBe(undefined)
    expect(sizeError('roster', document, update(301), 'history', limits)).toBe('roster-too-large')
  }
})

test('[S3] names of removed fields have at least twice the room of a whole profile, or of a roster where that is larger', () => {
  const client = 5
  const field = (name: string) => entry(profileRoot, profileKey(0, 'writer-1', name), 'x')
  const removed = (count: number): StoredDocument => {
    const document = new StoredDocument('profile', [])
    const structs = Array.from({ length: count }, (_, index) => field(`${index}`))
    document.apply(apply => apply(rawUpdate([{ client, clock: 0, structs }], [{ client, clock: 0, length: count }])))
    return document
  }
  const update = rawUpdate([{ client: 6, clock: 0, structs: [field('name')] }])
  for (const limits of [
    limitsWith({ profileLevels: 5, profileBytes: 1_000, rosterBytes: 100, historyBytes: 1 }),
    limitsWith({ profileLevels: 1, profileBytes: 1_000, rosterBytes: 5_000, historyBytes: 1 }),
  ]) {
    expect(sizeError('profile', removed(300), update, 'content', limits)).toBe(undefined)
    expect(sizeError('profile', removed(1_000), update, 'content', limits)).toBe('profile-too-large')
    expect(sizeError('profile', removed(1_000), update, 'nothing', limits)).toBe(undefined)
  }
})

/** A roster that applies the changes of its device, as far as the server admits them. */
class Roster {
  readonly doc = new Y.Doc()
  readonly document = new StoredDocument('roster', [])
  readonly #limits: Limits

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Returns the error. The device takes refused changes back. */
  change(...changes: KeyChange[]): ErrorCode | undefined {
    const before = Y.encodeStateVector(this.doc)
    const device = new Y.Doc()
    Y.applyUpdate(device, Y.encodeStateAsUpdate(this.doc))
    device.clientID = 5
    applyChanges(device, changes)
    const update = Y.encodeStateAsUpdate(device, before)
    const admission = admit(this.document.doc, update, rosterRules(this.#limits))
    if (admission.state !== 'admitted') throw new Error(admission.state)
    const error = sizeError('roster', this.document, update, admission.adds, this.#limits)
    if (error) return error
    this.document.apply(apply => apply(update))
    Y.applyUpdate(this.doc, update)
    return undefined
  }
}

const label = (key: string, length: number): KeyChange => ({ root: 'labels', key, value: 'x'.repeat(length) })
const block = (nonce: string): KeyChange => ({ root: 'blocks', key: `${nonce.padEnd(8, '-')}/bob`, value: true })

/** Every way of taking something away from others: a block, a narrower audience, an unfollow, a removal. */
const narrowings: KeyChange[][] = [
  [block('nonce-01')],
  [{ root: 'privacy', key: 'nonce-02/nobody', value: true }],
  [
    { root: 'subscriptions', key: 'carol', value: undefined },
    { root: 'declined', key: 'carol', value: true },
  ],
  [
    { root: 'contacts', key: 'dave', value: undefined },
    { root: 'declined', key: 'dave', value: true },
  ],
]

test('[R4][S3] a roster that is full of content admits blocks, narrower audiences, unfollows and removals, and no label', () => {
  const roster = new Roster(limitsWith({ rosterBytes: 500 }))
  expect(roster.change({ root: 'subscriptions', key: 'carol', value: true })).toBe(undefined)
  expect(roster.change({ root: 'contacts', key: 'dave', value: true }, label('bob', 250), label('carol', 150))).toBe(
    undefined,
  )
  expect(roster.change(label('eve', 20))).toBe('roster-too-large')
  for (const changes of narrowings) expect(roster.change(...changes)).toBe(undefined)
  // They count. Other content has room only as far as they leave it.
  expect(roster.change(label('eve', 1))).toBe('roster-too-large')
  expect(roster.change(block('nonce-03'), label('eve', 1))).toBe('roster-too-large')
  expect(roster.change(label('bob', 100))).toBe(undefined)
  expect(roster.change(block('nonce-03'), label('eve', 1))).toBe(undefined)
})

test('[R4][S3] a roster that is full of history admits blocks, narrower audiences, unfollows and removals, and no label', () => {
  const limits = limitsWith({ rosterBytes: 500, historyBytes: 6_000 })
  const roster = new Roster(limits)
  expect(roster.change({ root: 'subscriptions', key: 'carol', value: true })).toBe(undefined)
  expect(roster.change({ root: 'contacts', key: 'dave', value: true })).toBe(undefined)
  let error: ErrorCode | undefined
  // Two versions of an app that overwrite each other's levels.
  for (let day = 0; day < 5_000 && !error; day++) {
    const [old, next] = [`${day % 2}/bob`, `${(day + 1) % 2}/bob`]
    error = roster.change({ root: 'grants', key: old, value: undefined }, { root: 'grants', key: next, value: true })
  }
  expect(error).toBe('roster-too-large')
  expect(rosterBytes(flatMapsOf(roster.doc))).toBeLessThan(200)
  for (const changes of narrowings) expect(roster.change(...changes)).toBe(undefined)
  expect(roster.change(label('eve', 1))).toBe('roster-too-large')
  expect(roster.change({ root: 'grants', key: '0/bob', value: undefined })).toBe(undefined)
  // After thousands of blocks and unblocks, the private side also reaches a limit, far above manual use.
  let count = 0
  while (!roster.change(block(`${count}`)) && count < 5_000) {
    expect(roster.change({ ...block(`${count}`), value: undefined })).toBe(undefined)
    count++
  }
  expect(count).toBeGreaterThan(60)
  expect(count).toBeLessThan(600)
})

test('[S3] two versions of an app that sync a phone book of 800 to other levels each day for five years are not refused', () => {
  const limits = limitsWith({ rosterBytes: (8 * 1024 * 1024) / 16 })
  const roster = new Y.Doc()
  // A sixteenth of the people, the days and the limits: the history is 256 times as small.
  for (let day = 0; day < 5 * 365; day++) {
    const [old, next] = [day % 2, (day + 1) % 2]
    applyChanges(
      roster,
      Array.from({ length: 50 }, (_, who) => [
        { root: 'grants', key: `${old}/person ${who}`, value: undefined },
        { root: 'grants', key: `${next}/person ${who}`, value: true },
      ]).flat(),
    )
  }
  const document = new StoredDocument('roster', [Y.encodeStateAsUpdateV2(roster)])
  expect(10 * document.structs).toBeGreaterThan(limits.rosterBytes)
  const update = rawUpdate([{ client: 6, clock: 0, structs: [entry('labels', 'c', 'a label')] }])
  expect(
    sizeError('roster', document, update, 'content', { ...limits, historyBytes: defaultLimits.historyBytes / 16 }),
  ).toBe(undefined)
})
