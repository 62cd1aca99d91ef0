import assert from 'node:assert/strict'
import { matches, same } from './assertions.ts'
import { following, relationOf, rosterChange, userChange } from './changes.ts'
import type { Contract } from './contract.ts'
import { dayMs } from './contract.ts'

export function waitingFollows({ test, open }: Contract): void {
  test('[S3] follows beyond the limit wait, show nothing, and are served when others end', async () => {
    const { store } = await open({ follows: 2 })
    for (const owner of ['a', 'b', 'c', 'd']) await store.commit(userChange(owner))
    await store.commit(following('bob', 'a', 'b', 'c', 'd'))
    matches(await store.user('bob'), { follows: 2, waiting: 2 })
    matches(await relationOf(store, 'bob', 'c'), { isWaiting: true, shown: [] })
    await store.commit(rosterChange('bob', { a: {} }))
    matches(await store.user('bob'), { follows: 2, waiting: 1 })
    matches(await relationOf(store, 'bob', 'c'), { isWaiting: false, shown: [0] })
    await store.commit(rosterChange('bob', { d: {} }))
    matches(await store.user('bob'), { follows: 2, waiting: 0 })
    await store.close()
  })

  test('[F1] a follow that is served after waiting counts as a change, also if there is nothing to show yet', async () => {
    const { store } = await open({ follows: 1 })
    await store.commit(following('bob', 'a', 'b'))
    matches(await relationOf(store, 'bob', 'b'), { isWaiting: true, changedAt: 1 })
    await store.commit(rosterChange('bob', { a: {} }))
    matches(await relationOf(store, 'bob', 'b'), { isWaiting: false, changedAt: 2, shown: [] })
    await store.close()
  })

  test('[S4] first-time look-ups have a budget that refills steadily, and a repeated look-up is free', async () => {
    const { store, clock } = await open({ lookups: 2, lookupsPerDay: 2 })
    await store.commit(following('bob', 'a', 'b', 'c', 'd'))
    matches(await store.user('bob'), { follows: 2, waiting: 2 })
    same((await store.commit({ type: 'lookup', user: 'bob', owner: 'a' })).retryAfterMs, undefined)
    same((await store.commit({ type: 'lookup', user: 'bob', owner: 'z' })).retryAfterMs, dayMs / 2)
    same(await store.hasAsked('bob', 'z'), false)
    await store.commit(rosterChange('bob', { a: {} }))
    await store.commit(following('bob', 'a'))
    matches(await relationOf(store, 'bob', 'a'), { isWaiting: false })
    clock.leap(dayMs / 2 - 1)
    await store.commit({ type: 'promote', user: 'bob' })
    matches(await store.user('bob'), { follows: 2, waiting: 2 })
    clock.leap(1)
    await store.commit({ type: 'promote', user: 'bob' })
    matches(await store.user('bob'), { follows: 3, waiting: 1 })
    same(await store.hasAsked('bob', 'c'), true)
    // An absence of years yields no more than a full budget.
    clock.leap(1000 * dayMs)
    await store.commit(following('bob', 'e', 'f'))
    matches(await store.user('bob'), { follows: 5, waiting: 1 })
    await store.close()
  })

  test('[S4] a look-up is served after exactly retryAfterMs, for any refill rate', async () => {
    for (const lookupsPerDay of [1, 3, 7, 11, 13, 1999, 2000, 86_399, 86_400_001]) {
      const { store, clock } = await open({ lookups: 1, lookupsPerDay })
      for (let round = 0; round < 15; round++) {
        const { retryAfterMs } = await store.commit({ type: 'lookup', user: 'bob', owner: `${round}` })
        if (retryAfterMs === undefined) continue
        clock.leap(retryAfterMs)
        const again = await store.commit({ type: 'lookup', user: 'bob', owner: `${round}` })
        same(again.retryAfterMs, undefined)
      }
      await store.close()
    }
  })

  test('[S4] a budget without refill still gives a finite retryAfterMs', async () => {
    const { store } = await open({ lookups: 0, lookupsPerDay: 0 })
    const { retryAfterMs } = await store.commit({ type: 'lookup', user: 'bob', owner: 'alice' })
    assert.ok(Number.isSafeInteger(retryAfterMs))
    await store.close()
  })

  test('[S4] waiting follows of users looked up before are served first, without using the budget', async () => {
    const { store } = await open({ follows: 1, lookups: 3, lookupsPerDay: 0 })
    await store.commit({ type: 'lookup', user: 'bob', owner: 'z' })
    await store.commit(following('bob', 'a'))
    await store.commit({ type: 'lookup', user: 'bob', owner: 'y' })
    await store.commit(following('bob', 'b', 'z'))
    await store.commit(rosterChange('bob', { a: {} }))
    matches(await relationOf(store, 'bob', 'b'), { isWaiting: true })
    matches(await relationOf(store, 'bob', 'z'), { isWaiting: false })
    await store.close()
  })
}
