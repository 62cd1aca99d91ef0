import { openLevelStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { holds } from '../support/properties.ts'
import { Cursors, userChange } from '../support/server-internals.ts'
import { limitsWith, newDatabase, storeOver, temporaryFolder } from '../support/stores.ts'

async function storeAt(position: number): Promise<Store> {
  const store = storeOver(await newDatabase('memory'), new TestClock())
  for (let count = 0; count < position; count++) await store.commit(userChange(`user ${count}`))
  return store
}

test('[V10] all cursors have one size, and two of the same position have nothing in common', async () => {
  const store = await storeAt(3)
  const sealed = [0, 1, 127, 128, 2 ** 31, 2 ** 53 - 1].flatMap(position => {
    const cursors = new Cursors({ ...store, position })
    return Array.from({ length: 200 }, () => cursors.seal())
  })
  expect(new Set(sealed.map(({ length }) => length))).toEqual(new Set([44]))
  expect(new Set(sealed.map(bytes => Buffer.from(bytes).toString('hex'))).size).toBe(sealed.length)
  // Of 1,200 random bytes at one place, about 254 values differ.
  for (let index = 0; index < 44; index++) expect(new Set(sealed.map(bytes => bytes[index])).size).toBeGreaterThan(200)
})

test('[V10] a cursor with a changed byte, or sealed by another store, is rejected', async () => {
  const store = await storeAt(3)
  const cursors = new Cursors(store)
  const cursor = cursors.seal()
  expect(cursors.positionOf(cursor, 0)).toBe(3)
  for (let index = 0; index < cursor.length; index++) {
    const changed = cursor.map((byte, place) => (place === index ? byte ^ 1 : byte))
    expect(cursors.positionOf(changed, 0)).toBe(undefined)
  }
  const other = new Cursors({ ...store, cursorKey: new Uint8Array(32).fill(7) })
  expect(other.positionOf(cursor, 0)).toBe(undefined)
})

test('[S1] any bytes as a cursor give no position, and no error', async () => {
  const cursors = new Cursors(await storeAt(3))
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ minLength: 44, maxLength: 44 }))
  holds(fc.property(bytes, cursor => cursors.positionOf(cursor, 0) === undefined))
})

test('[F1] a data folder keeps the key of its cursors, and no two folders have the same', async () => {
  const folder = await temporaryFolder()
  const options = { limits: limitsWith(), clock: new TestClock() }
  const first = await openLevelStore(folder, options)
  await first.commit(userChange('alice'))
  const cursor = new Cursors(first).seal()
  await first.close()
  const second = await openLevelStore(folder, options)
  expect(new Cursors(second).positionOf(cursor, 0)).toBe(1)
  await second.close()
  const other = await openLevelStore(await temporaryFolder(), options)
  expect(other.cursorKey).toHaveLength(32)
  expect(other.cursorKey).not.toEqual(first.cursorKey)
  await other.close()
})
