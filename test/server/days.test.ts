import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { keys, ranges, storeOn, userChange } from '../support/server-internals.ts'
import { dayMs, limitsWith, newDatabase } from '../support/stores.ts'

test('[F1] 400 days leave 92 records, and the oldest cursor that is served is the same', async () => {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = await storeOn(database, { limits: limitsWith(), clock })
  /** The position at which each day began. */
  const days: number[] = []
  for (let day = 0; day < 400; day++) {
    days.push(store.position)
    // Some days nobody writes.
    if (day % 7 !== 3) await store.commit(userChange(`user ${day % 50}`, { restricted: day % 2 === 0 }))
    clock.leap(dayMs)
    if (day % 50 !== 49) continue
    const written = days.filter((_, index) => index % 7 !== 3 && index <= day + 1 - 90)
    expect(await store.oldestCursor()).toBe(written.at(-1) ?? 0)
  }
  expect((await database.keys(ranges.days).all()).length).toBeLessThanOrEqual(92)
  await store.close()
})

test('[F1] a clock that was far ahead for a while does not make cursors too old, though past days are gone', async () => {
  const database = await newDatabase('memory')
  const clock = new TestClock()
  const store = await storeOn(database, { limits: limitsWith(), clock })
  for (let day = 0; day < 100; day++) {
    await store.commit(userChange(`user ${day}`))
    clock.leap(dayMs)
  }
  clock.leap(1_000 * dayMs)
  await store.commit(userChange('far ahead'))
  clock.leap(-1_000 * dayMs)
  expect(await store.oldestCursor()).toBeLessThanOrEqual(10)
  await store.commit(userChange('back'))
  expect(await database.get(keys.day(clock.now() - (clock.now() % dayMs)))).toBeDefined()
  expect(await store.changedSince(90, 1_000)).toBe(undefined)
  await store.close()
})
