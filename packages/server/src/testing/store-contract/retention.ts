import assert from 'node:assert/strict'
import { Cursors } from '../../relay/cursors.ts'
import { same } from './assertions.ts'
import { profileChange, userChange } from './changes.ts'
import type { Contract } from './contract.ts'
import { dayMs } from './contract.ts'

export function retention({ test, open }: Contract): void {
  test('[F1] changedSince returns undefined, not an empty list, after a clock far ahead made the store drop its changes', async () => {
    const { store, clock } = await open()
    await store.commit(userChange('alice'))
    const since = store.position
    await store.commit(profileChange('alice', { 0: 'new' }))
    clock.leap(dayMs)
    await store.commit(userChange('bob'))
    clock.leap(200 * dayMs)
    await store.commit(userChange('carol'))
    clock.leap(-200 * dayMs)
    assert.ok((await store.oldestCursor()) <= since)
    same(await store.changedSince(since, 1000), undefined)
    await store.close()
  })

  test('[F1] a cursor is served until 90 days after the next change', async () => {
    const { store, clock } = await open()
    await store.commit(profileChange('alice', { 0: 'on day 0' }))
    clock.leap(10 * dayMs)
    await store.commit(profileChange('alice', { 0: 'on day 10' }))
    await store.commit(profileChange('bob', { 0: 'on day 10' }))
    clock.leap(79 * dayMs)
    same(await store.oldestCursor(), 0)
    clock.leap(12 * dayMs)
    same(await store.oldestCursor(), 1)
    await store.commit(profileChange('carol', { 0: 'on day 101' }))
    same(await store.changedSince(await store.oldestCursor(), 10), ['alice', 'bob', 'carol'])
    clock.leap(200 * dayMs)
    same(await store.oldestCursor(), 3)
    const from = (position: number): Uint8Array => new Cursors({ ...store, position }).seal()
    same(new Cursors(store).positionOf(from(3), 3), 3)
    same(new Cursors(store).positionOf(from(2), 3), undefined)
    await store.close()
  })
}
