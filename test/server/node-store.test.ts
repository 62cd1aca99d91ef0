import type { Change, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { defaultLimits } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { Link } from '../simulation/world/link.ts'
import { Seeded } from '../simulation/world/seeded.ts'
import { SharedLog } from '../simulation/world/shared-log.ts'
import {
  decodeCommits,
  encodeCommits,
  newNotes,
  openNodeStore,
  profileChange,
  provisional,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { isOver, settled } from '../support/test-table.ts'

const pollMs = 700

/** Two nodes of a database in memory. A test forwards their notices to each other. */
async function twoNodes() {
  const clock = new TestClock()
  const log = new SharedLog(() => clock.now(), { opened: () => undefined, written: () => undefined })
  log.open()
  const links: Link[] = []
  const node = async (): Promise<Store> => {
    const link: Link = new Link(log, clock, new Seeded(1), what => {
      for (const other of links) if (other !== link) other.notice(what)
    })
    links.push(link)
    return openNodeStore({
      ...{ database: link, incarnations: log.incarnations, cursorKey: log.cursorKey, position: log.head },
      ...{ limits: defaultLimits, clock, leaseClock: clock, pollMs },
    })
  }
  const [first, second] = [await node(), await node()]
  const passOn = async (): Promise<void> => {
    for (const link of links) while (link.waiting > 0) link.step(0)
    await settled()
  }
  return { clock, first, second, passOn }
}

const alice = profileChange('alice', { 0: 'Alice', 3: 'A' })
const bobFollows = rosterChange('bob', { alice: { isSubscribed: true }, carol: { isContact: true } })

test('[F1] a node reports what another has written when it is told of it, without waiting', async () => {
  const { first, second, passOn } = await twoNodes()
  await first.commit(alice)
  await settled()
  expect(second.position).toBe(0)
  await passOn()
  expect(second.position).toBe(1)
})

test('[F1] a node that is told nothing looks at the log by itself, again and again', async () => {
  const { first, second, clock } = await twoNodes()
  for (const position of [1, 2]) {
    await first.commit(alice)
    clock.move(pollMs - 1)
    await settled()
    expect(second.position).toBe(position - 1)
    clock.move(1)
    await settled()
    expect(second.position).toBe(position)
  }
})

test.each<[string, (store: Store) => Promise<unknown>]>([
  ['views', store => store.views('bob', ['alice'])],
  ['relations', store => store.relations('bob')],
])('[F1] a node that reads %s ahead of what it has reported reports that', async (_, read) => {
  const { first, second } = await twoNodes()
  await first.commit(bobFollows)
  await read(second)
  await settled()
  expect(second.position).toBe(1)
})

test('[F1] the oldest cursor is known when all is reported that a device may have seen on another node', async () => {
  const { first, second } = await twoNodes()
  await first.commit(alice)
  await second.oldestCursor()
  expect(second.position).toBe(1)
})

test('[D7] an erasure that missed its account ends no session on another node', async () => {
  const { first, second, passOn } = await twoNodes()
  const ends: unknown[] = []
  second.onCommit({ committed: commits => void ends.push(...commits.map(({ elsewhere }) => elsewhere?.ends)) })
  await first.commit(userChange('alice'))
  for (let count = 0; count < 2; count++) await first.commit({ type: 'erase', user: 'alice', registeredAt: 1 })
  await passOn()
  expect(ends).toEqual([undefined, 'account', undefined])
})

test('[D4] a node reads what another has written', async () => {
  const { first, second } = await twoNodes()
  await first.commit(alice)
  await first.commit(bobFollows)
  await first.commit({ type: 'lookup', user: 'bob', owner: 'dave' })
  expect(await second.levelsWithFields('alice')).toEqual([0, 3])
  expect((await second.relations('bob')).map(({ owner }) => owner)).toEqual(['alice', 'carol'])
  expect([await second.hasAsked('bob', 'dave'), await second.hasAsked('bob', 'eve')]).toEqual([true, false])
  const [level] = await second.levels([{ owner: 'alice', level: 3 }])
  expect(decodeFields((level as NonNullable<typeof level>).fields)).toEqual({ name: 'A' })
  expect((await second.users(['alice', 'zoe'])).map(({ registeredAt }) => registeredAt)).toEqual([1, 0])
  expect((await second.document('alice', 'profile')).version).toBe(1)
  expect((await second.documentSince('alice', 'profile', 2)).parts).toEqual([])
  expect(await second.changedSince(0, 10)).toEqual(['alice'])
  await first.commit({ type: 'revoke', user: 'alice' })
  expect((await second.revocation('alice')).atMs).toBeGreaterThan(0)
})

test('[V4] what takes something away is applied everywhere when the other node has said so', async () => {
  const { first, second, passOn } = await twoNodes()
  const { position } = await first.commit({ type: 'revoke', user: 'alice' })
  const everywhere = first.whenEverywhere(position)
  expect(await isOver(everywhere)).toBe(false)
  await passOn()
  await passOn()
  expect([second.position, await isOver(everywhere)]).toEqual([1, true])
})

test('a node that has closed has no lease, takes no change, and can be closed again', async () => {
  const { first, clock } = await twoNodes()
  const timers = clock.timerCount
  const everywhere = first.whenEverywhere(0)
  await first.close()
  await first.close()
  await everywhere
  expect([first.lease.isCurrent(), clock.timerCount]).toEqual([false, timers / 2])
  await expect(first.commit(alice)).rejects.toThrow('the store is closing')
})

test.each<[string, Change, unknown]>([
  ['a revocation', { type: 'revoke', user: 'alice' }, { documents: [], ends: 'sessions' }],
  ['an erasure', { type: 'erase', user: 'alice' }, { documents: [], ends: 'account' }],
  ['a profile', alice, { documents: ['profile'] }],
  ['a roster', bobFollows, { documents: ['roster'] }],
  ['both documents', { ...bobFollows, profile: alice.profile }, { documents: ['roster', 'profile'] }],
  ['a setting of the backend', userChange('alice'), undefined],
])('[V4][D7] other nodes are told of %s what it ends or changes', (_, change, elsewhere) => {
  const notes = {
    ...newNotes(0, change),
    ...{ isNew: true, standings: ['alice'], hidings: ['bob'], pairs: [{ viewer: 'bob', owner: 'alice' }] },
    strangers: [{ owner: 'alice', viewers: new Set(['bob', 'carol']), areExcepted: true }],
    levels: new Map([
      [0, Uint8Array.of(1, 2)],
      [255, new Uint8Array()],
    ]),
    edits: [{ level: 0, changed: ['name'], added: ['__proto__'] }],
  }
  const { sights: _none, ...told } = notes
  const commits = decodeCommits(encodeCommits([notes, newNotes(0, change)], [change, change]), 8)
  expect(commits[0]).toEqual({ ...told, position: 8, ...(elsewhere !== undefined && { elsewhere }) })
  expect(commits.map(({ position }) => position)).toEqual([8, 9])
})

test('[F1] other nodes are told which fields of a level a commit changed', async () => {
  const { first, second, passOn } = await twoNodes()
  const told: unknown[] = []
  second.onCommit({ committed: commits => void told.push(...commits.map(({ edits }) => edits)) })
  await first.commit(alice)
  await first.commit(profileChange('alice', { 0: 'Ada' }))
  await passOn()
  expect(told).toEqual([[], [{ level: 0, changed: ['name'], added: [] }]])
})

test('[F1] of a commit of a node of an older release it is not known which fields it changed', () => {
  const { edits: _none, ...notes } = newNotes(0, alice)
  const bytes = encodeCommits([notes as ReturnType<typeof newNotes>], [alice])
  expect(decodeCommits(bytes, 8)[0]?.edits).toEqual([])
})

test('[D4] the positions of a batch before it is written are whole numbers, and no two are the same', () => {
  const positions = Array.from({ length: 256 }, (_, index) => provisional + index + 1)
  expect(positions.every(Number.isSafeInteger)).toBe(true)
  expect(new Set(positions).size).toBe(256)
})
