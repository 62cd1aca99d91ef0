import { contains, matches, same } from './assertions.ts'
import { factsWith, profileChange, relationOf, rosterChange, userChange } from './changes.ts'
import type { Contract } from './contract.ts'

export function erasure({ test, open }: Contract): void {
  test('[D7] erasing a user removes all that the user wrote, and keeps what others and the backend state about the user id', async () => {
    const { store } = await open()
    await store.commit(rosterChange('alice', { bob: { levels: [2], isSubscribed: true } }, { audience: 'contacts' }))
    await store.commit(profileChange('alice', { 0: 'Ada', 2: 'A' }))
    await store.commit(rosterChange('bob', { alice: { isSubscribed: true, levels: [5] } }))
    await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
    await store.commit(userChange('alice', { restricted: true, announceJoin: false }))
    same((await relationOf(store, 'bob', 'alice')).shown, [0, 2])
    const { position, pairs } = await store.commit({ type: 'erase', user: 'alice' })
    contains(pairs, { viewer: 'bob', owner: 'alice' })
    matches(await store.user('alice'), {
      registeredAt: 0,
      restricted: true,
      announceJoin: false,
      audience: 'everyone',
      levels: {},
      follows: 0,
      waiting: 0,
    })
    same((await store.document('alice', 'roster')).parts, [])
    same((await store.document('alice', 'profile')).parts, [])
    same(await store.levels([{ owner: 'alice', level: 0 }]), [undefined])
    same(await store.hasAsked('alice', 'bob'), false)
    same((await store.revocation('alice')).atMs > 0, true)
    const relation = await relationOf(store, 'bob', 'alice')
    matches(relation, { shown: [], changedAt: position, isPaired: false, theirs: factsWith() })
    same(relation.mySide.said, factsWith({ isSubscribed: true, levels: [5] }))
    same(relation.mine, factsWith())
    same((await store.user('bob')).follows, 0)
    await store.close()
  })

  test('[D7] two erasures of one account erase it once, and not the next holder who registers between them', async () => {
    const { store } = await open()
    await store.commit(userChange('alice'))
    const { registeredAt } = await store.user('alice')
    same((await store.commit({ type: 'erase', user: 'alice', registeredAt })).isMissed, undefined)
    const { atMs } = await store.revocation('alice')
    same((await store.commit({ type: 'erase', user: 'alice', registeredAt })).isMissed, true)
    const { position } = await store.commit(userChange('alice'))
    same((await store.commit({ type: 'erase', user: 'alice', registeredAt })).isMissed, true)
    same((await store.user('alice')).registeredAt, position)
    same((await store.revocation('alice')).atMs, atMs)
    await store.close()
  })

  test('a revocation notes its time, also for a user id that is not registered', async () => {
    const { store } = await open()
    const { nowMs: earliest } = await store.revocation('alice')
    await store.commit({ type: 'revoke', user: 'alice' })
    const { atMs, nowMs: latest } = await store.revocation('alice')
    same(earliest <= atMs && atMs <= latest, true)
    same((await store.user('alice')).registeredAt, 0)
    await store.close()
  })

  test('a revocation is dated later than the one before it, also in the same millisecond', async () => {
    const { store } = await open()
    await store.commit({ type: 'revoke', user: 'alice' })
    const { atMs: first } = await store.revocation('alice')
    await store.commit({ type: 'revoke', user: 'alice' })
    const { atMs: second } = await store.revocation('alice')
    same(second > first, true)
    await store.close()
  })
}
