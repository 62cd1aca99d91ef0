import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import {
  inKeyOrder,
  keys,
  parseOrdered,
  partsOf,
  profileChange,
  ranges,
  rosterChange,
  userChange,
} from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** Values around every power of two at which a number gains a hexadecimal digit, up to the largest exact integer. */
const positions = [...Array(13).keys()]
  .flatMap(digits => [16 ** (digits + 1) - 1, 16 ** (digits + 1)])
  .filter(position => position <= Number.MAX_SAFE_INTEGER)
  .concat([0, 1, 9, 10, 65_534, 65_537, Number.MAX_SAFE_INTEGER])
  .sort((a, b) => a - b)

test('[F1] keys sort by position, level and day, also beyond 65,535, and decode to the same values', () => {
  const families = {
    update: (position: number) => keys.update('alice', 'roster', position),
    change: keys.change,
    day: keys.day,
    level: (level: number) => keys.level('alice', level),
  }
  for (const [family, keyOf] of Object.entries(families)) {
    const made = positions.map(keyOf)
    expect([...made].sort(), family).toEqual(made)
    expect(
      made.map(key => parseOrdered(partsOf(key).at(-1) as string)),
      family,
    ).toEqual(positions)
  }
})

test('[F1] the ranges of changes after a position and up to a position divide all changes', () => {
  const among = ({ gt, lt }: { gt: string; lt: string }): number[] =>
    positions.filter(position => keys.change(position) > gt && keys.change(position) < lt)
  for (const at of positions.filter(position => position < Number.MAX_SAFE_INTEGER)) {
    expect(among(ranges.changes(at))).toEqual(positions.filter(position => position > at))
    expect(among(ranges.changesUpTo(at))).toEqual(positions.filter(position => position <= at))
  }
})

test('[F1] beyond position 65,535 updates stay in order, and changedSince works', async () => {
  const store = await storeAt(65_530)
  await store.commit(rosterChange('alice', {}))
  const since: number[] = []
  for (let count = 0; count < 12; count++) {
    since.push(store.position)
    const change = profileChange('alice', { 0: `name ${count}` })
    if (change.profile) change.profile.update = new Uint8Array([count])
    await store.commit(change)
  }
  expect((await store.document('alice', 'profile')).parts.map(([first]) => first)).toEqual([...Array(12).keys()])
  for (const position of since) expect(await store.changedSince(position, 1_000)).toEqual(['alice'])
  expect(await store.changedSince(store.position, 1_000)).toEqual([])
})

test('[D2] 600 simultaneous changes are all written, in order and in groups', async () => {
  const store = await storeAt(0)
  const told: number[] = []
  store.onCommit({ committed: commits => void told.push(commits.length) })
  const commits = await Promise.all(
    Array.from({ length: 600 }, (_, index) => store.commit(userChange(`user-${index}`))),
  )
  expect(commits.map(({ position }) => position)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1))
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(600)
  expect(Math.max(...told)).toBeLessThanOrEqual(256)
  const users = await store.users(Array.from({ length: 600 }, (_, index) => `user-${index}`))
  expect(users.map(({ registeredAt }) => registeredAt)).toEqual(commits.map(({ position }) => position))
})

async function storeAt(position: number): Promise<ReturnType<typeof storeOver>> {
  return storeOver(await newDatabase('memory'), new TestClock(), {}, position)
}

test('[S4] ids are compared as their keys are: by the bytes of UTF-8', () => {
  const ids = ['', 'a', 'ab', 'b', 'z', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10000}a', '\u{10ffff}']
  for (const one of ids) {
    for (const other of ids) {
      const byBytes = Buffer.compare(Buffer.from(one), Buffer.from(other))
      expect([one, other, Math.sign(inKeyOrder(one, other))]).toEqual([one, other, byBytes])
    }
  }
})
