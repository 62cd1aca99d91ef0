import type { Change } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import {
  Draft,
  derive,
  following,
  Incarnations,
  names,
  newNotes,
  profileChange,
  RecordedReads,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { limitsWith, newDatabase, recordsOf, storeOver } from '../support/stores.ts'

interface Sets {
  read: ReadonlySet<string>
  written: ReadonlySet<string>
}

/** The records that changes read and write. Each change is derived separately from the state that these commits left. */
async function setsOf(before: readonly Change[], changes: readonly Change[]): Promise<Sets[]> {
  const database = await newDatabase('memory')
  const store = storeOver(database, new TestClock())
  for (const change of before) await store.commit(change)
  return Promise.all(
    changes.map(async change => {
      const records = new RecordedReads(recordsOf(database))
      const draft = new Draft(records, 0, new Incarnations(new Uint8Array(32)))
      await derive(draft, newNotes(100, change), change, limitsWith())
      const touched = [...draft.touched()].flatMap(({ name, range }) => (range === undefined ? [name] : [name, range]))
      return { read: records.read, written: new Set(touched) }
    }),
  )
}

/** Whether a derived change must be derived again after another one was written meanwhile. */
function isOutdatedBy({ read }: Sets, { written }: Sets): boolean {
  return [...written].some(name => read.has(name))
}

async function conflict(before: readonly Change[], one: Change, other: Change): Promise<boolean> {
  const [first, second] = (await setsOf(before, [one, other])) as [Sets, Sets]
  return isOutdatedBy(first, second)
}

const alice = [userChange('alice'), profileChange('alice', { 0: 'Alice' })]
const narrowed = rosterChange('alice', {}, { audience: 'nobody' })

test('[V4] a change of audience reads a range that a new follow of its owner writes', async () => {
  expect(await conflict([...alice, userChange('bob')], narrowed, following('bob', 'alice'))).toBe(true)
  const [audience, follow] = (await setsOf([...alice, userChange('bob')], [narrowed, following('bob', 'alice')])) as [
    Sets,
    Sets,
  ]
  expect([...audience.read].filter(name => follow.written.has(name))).toContain(names.relations('alice'))
})

test('[V4] a new follow reads the record of its owner, which a change of audience writes', async () => {
  expect(await conflict([...alice, userChange('bob')], following('bob', 'alice'), narrowed)).toBe(true)
})

test('[D4] changes of users who have nothing to do with each other do not conflict', async () => {
  const before = [...alice, userChange('bob'), following('carol', 'alice'), userChange('dave')]
  const edit = profileChange('bob', { 0: 'Bob' })
  expect(await conflict(before, edit, profileChange('alice', { 0: 'A.' }))).toBe(false)
  expect(await conflict(before, edit, following('dave', 'alice'))).toBe(false)
  expect(await conflict(before, narrowed, edit)).toBe(false)
})

test.each([
  ['an edit of the profile', profileChange('alice', { 0: 'A.' })],
  ['a look-up', { type: 'lookup', user: 'alice', owner: 'zoe' } as const],
  ['a new contact', rosterChange('alice', { bob: { isContact: true, levels: [1] } })],
  ['a restriction', userChange('alice', { restricted: true })],
  ['a pairing', { type: 'pair', a: 'bob', b: 'alice', isPaired: true } as const],
])('[D7] %s is outdated by the erasure of its user', async (_, change) => {
  const erasure = { type: 'erase', user: 'alice' } as const
  expect(await conflict([...alice, following('bob', 'alice')], change, erasure)).toBe(true)
})
