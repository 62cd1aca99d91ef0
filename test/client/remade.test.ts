import { rosterRoots } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  encodeChanges,
  mergedDocument,
  newClientId,
  newRemakingClientId,
  OwnDocument,
  remadeEntries,
  systemRandomness,
} from '../support/client-internals.ts'
import { entry, rawUpdate } from '../support/raw-update.ts'

const grant = { root: 'grants', key: '1/bob', value: true } as const
const lifted = { ...grant, value: undefined }

function phone(name: 'roster' | 'profile' = 'roster'): OwnDocument {
  return new OwnDocument(name, newClientId(systemRandomness))
}

function meet(a: OwnDocument, b: OwnDocument): void {
  const [forA, forB] = [Y.encodeStateAsUpdate(b.doc), Y.encodeStateAsUpdate(a.doc)]
  a.take(forA)
  b.take(forB)
}

test('[D6][R4] a grant that one device makes again stays revoked if another device revoked the original, in either order of arrival', () => {
  for (let round = 0; round < 40; round++) {
    const [one, two] = [phone(), phone()]
    one.write([grant])
    meet(one, two)
    two.write([lifted])
    // The server has lost everything. The first device makes the grant again on an empty document.
    const server = phone()
    const again = phone()
    again.write([grant], newRemakingClientId(systemRandomness))
    for (const device of round % 2 === 0 ? [again, two] : [two, again]) meet(server, device)
    meet(server, again)
    for (const device of [server, two, again]) expect(device.standing.has('grants', '1/bob')).toBe(false)
  }
})

test('[D6] a label that one device makes again loses to the newer label of another device', () => {
  for (let round = 0; round < 40; round++) {
    const [one, two] = [phone(), phone()]
    one.write([{ root: 'labels', key: 'bob', value: 'Bob' }])
    meet(one, two)
    two.write([{ root: 'labels', key: 'bob', value: 'Robert' }])
    const server = phone()
    server.write([{ root: 'labels', key: 'bob', value: 'Bob' }], newRemakingClientId(systemRandomness))
    meet(server, two)
    expect([server, two].map(device => device.standing.get('labels', 'bob'))).toEqual(['Robert', 'Robert'])
  }
})

test('[D6] concurrent changes of two copies of one database, under one client id, all arrive at both copies', () => {
  const original = phone()
  original.write([{ root: 'contacts', key: 'before', value: true }])
  const copy = new OwnDocument('roster', original.clientId)
  copy.take(Y.encodeStateAsUpdate(original.doc))
  for (let count = 0; count < 5; count++) original.write([{ root: 'contacts', key: `original ${count}`, value: true }])
  for (let count = 0; count < 9; count++) copy.write([{ root: 'labels', key: 'bob', value: `Bob ${count}` }])
  copy.write([{ root: 'contacts', key: 'before', value: undefined }])
  const server = phone()
  server.take(Y.encodeStateAsUpdate(original.doc))
  const merged = mergedDocument(server, copy, 1, newClientId(systemRandomness))
  const content = Object.fromEntries(rosterRoots.map(root => [root, merged.doc.getMap(root).toJSON()]))
  expect(content['labels']).toEqual({ bob: 'Bob 8' })
  expect(Object.keys(content['contacts'] ?? {}).sort()).toEqual([0, 1, 2, 3, 4].map(count => `original ${count}`))
})

test('[D6] a label that a copy of a database replaced twice arrives, although Yjs has joined its replaced values with one from before the copy', () => {
  const original = phone()
  original.write([{ root: 'labels', key: 'bob', value: 'Bob' }])
  const copy = new OwnDocument('roster', original.clientId)
  copy.take(Y.encodeStateAsUpdate(original.doc))
  original.write([{ root: 'contacts', key: 'bob', value: true }])
  for (const value of ['Robert', 'Bobby']) copy.write([{ root: 'labels', key: 'bob', value }])
  const server = phone()
  server.take(Y.encodeStateAsUpdate(original.doc))
  const merged = mergedDocument(server, copy, 1, newClientId(systemRandomness))
  expect([merged.standing.get('labels', 'bob'), merged.standing.get('contacts', 'bob')]).toEqual(['Bobby', true])
})

test('[D5][R6] a field that replaces another device’s value stays one entry with the removal of that value', () => {
  const [fresh, merged] = [phone('profile'), phone('profile')]
  const changes = [
    { root: 'fields', key: '0/writer-other1/name', value: undefined },
    { root: 'fields', key: '0/writer-this12/name', value: 'Ada' },
    { root: 'fields', key: '0/writer-this12/mood', value: undefined },
  ]
  const row = { seq: 1, document: 'profile' as const, update: new Uint8Array(), changes: encodeChanges(changes) }
  const plan = { name: 'profile' as const, fresh, merged, rows: [row], suspect: undefined, isRosterFirst: false }
  expect(remadeEntries(plan).map(entry => entry.changes)).toEqual([changes.slice(2), changes.slice(0, 2)])
})

test('[D6] what another device wrote reaches a server that lost it, also if a copy of this device’s database wrote meanwhile', () => {
  const [original, other] = [phone(), phone()]
  original.write([{ root: 'contacts', key: 'bob', value: true }])
  const copy = new OwnDocument('roster', original.clientId)
  copy.take(Y.encodeStateAsUpdate(original.doc))
  original.write([{ root: 'contacts', key: 'carol', value: true }])
  // Yjs merges the replaced values into one struct.
  for (const value of ['Bob', 'Robert', 'Bobby']) other.write([{ root: 'labels', key: 'bob', value }])
  copy.take(Y.encodeStateAsUpdate(other.doc))
  copy.write([{ root: 'contacts', key: 'dave', value: true }])
  // Structs that were garbage-collected: only their range remains.
  copy.take(rawUpdate([{ client: 7, clock: 0, structs: [{ gc: 2 }, entry('labels', 'eve', 'Eve')] }]))
  const server = phone()
  server.take(Y.encodeStateAsUpdate(original.doc))
  const merged = mergedDocument(server, copy, 1, newClientId(systemRandomness))
  expect(merged.hasPending).toBe(false)
  expect(['bob', 'eve'].map(key => merged.standing.get('labels', key))).toEqual(['Bobby', 'Eve'])
  expect([...merged.standing.entries('contacts')].map(([key]) => key).sort()).toEqual(['bob', 'carol', 'dave'])
})

test('[D5][V6] what is unsent keeps its order over both documents, unless the server may have lost revocations: then all of the roster goes before the profile', () => {
  const [fresh, merged] = [phone('profile'), phone('profile')]
  const rows = [
    { document: 'profile' as const, root: 'fields', key: '0/writer-this12/name', value: 'Ada' },
    { document: 'roster' as const, ...grant },
    { document: 'profile' as const, root: 'fields', key: '0/writer-this12/mood', value: 'well' },
    { document: 'roster' as const, root: 'labels', key: 'bob', value: 'Bob' },
  ].map(({ document, ...change }, index) => ({
    ...{ seq: index + 1, document, update: new Uint8Array() },
    changes: encodeChanges([change]),
  }))
  const order = (isRosterFirst: boolean): string[] =>
    remadeEntries({ name: 'profile', fresh, merged, rows, suspect: undefined, isRosterFirst }).map(
      ({ document }) => document,
    )
  expect(order(false)).toEqual(['profile', 'roster', 'profile', 'roster'])
  expect(order(true)).toEqual(['roster', 'roster', 'profile', 'profile'])
})

test('[D6] what is made again goes in entries of at most 500 changes and 64 KiB, what narrows ahead', () => {
  const [fresh, merged] = [phone('profile'), phone('profile')]
  const field = (name: string, length: number) => ({
    ...{ root: 'fields', key: `0/writer-this12/${name}`, value: 'x'.repeat(length) },
  })
  fresh.write([field('gone', 10)])
  merged.write([...['a', 'b', 'c'].map(name => field(name, 30_000)), field('large', 70_000)])
  merged.write(Array.from({ length: 1_001 }, (_, index) => field(`n${index}`, 1)))
  const plan = { name: 'profile' as const, fresh, merged, rows: [], suspect: undefined, isRosterFirst: false }
  const entries = remadeEntries(plan).map(({ changes }) => changes.map(({ key }) => key.split('/')[2]))
  expect(entries.slice(0, 4)).toEqual([['gone'], ['a', 'b'], ['c'], ['large']])
  expect(entries.slice(4).map(({ length }) => length)).toEqual([500, 500, 1])
})

test('[D5][D6] an entry that was made again keeps what the app was told of it, and of its changes only those that the server lacks', () => {
  const [fresh, merged] = [phone(), phone()]
  const label = (key: string, value: string) => ({ root: 'labels', key, value })
  fresh.write([label('bob', 'Bob')])
  merged.write([label('bob', 'Bob'), label('carol', 'Carol'), label('dave', 'Dave')])
  const row = {
    ...{ seq: 1, document: 'roster' as const, update: new Uint8Array(), isRemade: true as const },
    ...{ changes: encodeChanges([label('bob', 'Bob'), label('carol', 'old')]), reported: 'label-too-long' as const },
  }
  const plan = { name: 'roster' as const, fresh, merged, rows: [row], suspect: undefined, isRosterFirst: false }
  expect(remadeEntries(plan).map(({ changes, isRemade, reported }) => ({ changes, isRemade, reported }))).toEqual([
    { changes: [label('carol', 'Carol')], isRemade: true, reported: 'label-too-long' },
    { changes: [label('dave', 'Dave')], isRemade: true, reported: undefined },
  ])
})
