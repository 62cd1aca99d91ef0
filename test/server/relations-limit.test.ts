import type { KeyChange } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { entry, rawUpdate } from '../support/raw-update.ts'
import { RelationCount } from '../support/server-internals.ts'
import { serverWorld, settle } from '../support/server-world.ts'

test('[S3] a roster names at most `relations` users: one more is refused with too-many-relations', async () => {
  const world = await serverWorld({ limits: { relations: 3 } })
  const [alice, phone] = await world.devices('alice', 'alice')
  alice.edit('bob', { levels: [1, 2, 3] })
  alice.edit('carol', { isSubscribed: true })
  alice.edit('dave', { label: 'Dave' })
  await settle(alice, phone)
  alice.edit('eve', { label: 'Eve' })
  expect(await alice.barrier()).toBe(false)
  expect(alice.all('refused')).toMatchObject([{ document: 'roster', code: 'too-many-relations' }])
  expect(phone.roster.getMap('labels').has('eve')).toBe(false)
  expect(await world.check()).toEqual([])
})

test('[S3] removals, blocks and narrower privacy are always admitted, and so are more facts about users who are already named', async () => {
  const world = await serverWorld({ limits: { relations: 2 } })
  const [alice] = await world.devices('alice')
  alice.edit('bob', { levels: [1] })
  alice.edit('carol', { levels: [1] })
  await settle(alice)
  alice.edit('mallory', { isBlocked: true })
  await settle(alice)
  alice.setAudience('nobody')
  alice.edit('bob', { levels: [1, 2], label: 'Bob', isSubscribed: true })
  await settle(alice)
  alice.edit('carol', { levels: null })
  alice.edit('mallory', { isBlocked: false })
  await settle(alice)
  alice.edit('dave', { levels: [1] })
  await settle(alice)
  expect(alice.all('refused')).toEqual([])
})

test('[S3] a change that replaces named users by as many others is admitted at the limit', async () => {
  const world = await serverWorld({ limits: { relations: 2 } })
  const [alice] = await world.devices('alice')
  alice.edit('bob', { levels: [1] })
  alice.edit('carol', { levels: [1] })
  await settle(alice)
  alice.change([
    { root: 'contacts', key: 'bob', value: undefined },
    { root: 'grants', key: '1/bob', value: undefined },
    { root: 'contacts', key: 'dave', value: true },
  ])
  await settle(alice)
  expect(alice.all('refused')).toEqual([])
})

test('[S3] users named by the last change before the limit count for the next change', async () => {
  const world = await serverWorld({ limits: { relations: 60 } })
  const [alice] = await world.devices('alice')
  const contacts = (from: number, count: number): KeyChange[] =>
    Array.from({ length: count }, (_, index) => ({ root: 'contacts', key: `contact ${from + index}`, value: true }))
  for (const [from, count] of [
    [0, 10],
    [10, 50],
  ] as const) {
    alice.change(contacts(from, count))
    await settle(alice)
  }
  alice.change(contacts(60, 1))
  expect(await alice.barrier()).toBe(false)
  expect(alice.all('refused')).toMatchObject([{ code: 'too-many-relations' }])
})

test('[S3] the users whom a roster named when it was loaded count toward the limit of its first change', () => {
  const doc = new Y.Doc()
  for (let index = 0; index < 60; index++) doc.getMap('contacts').set(`contact ${index}`, true)
  const one = rawUpdate([{ client: 6, clock: 0, structs: [entry('contacts', 'one more', true)] }])
  expect(new RelationCount().error(doc, one, 1, 60)).toBe('too-many-relations')
  expect(new RelationCount().error(doc, one, 1, 61)).toBe(undefined)
})
