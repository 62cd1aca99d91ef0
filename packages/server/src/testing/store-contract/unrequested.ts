import type { Store } from '../../relations/store.ts'
import { same } from './assertions.ts'
import { relationOf, rosterChange, userChange } from './changes.ts'
import type { Contract } from './contract.ts'

export function unrequested({ test, open }: Contract): void {
  const unasked = async (store: Store, viewer: string): Promise<string[]> =>
    (await store.relations(viewer)).filter(({ relation }) => relation.isUnasked).map(({ owner }) => owner)

  test('[F4] a user who was granted a level is shown the owner without following, until the user declines, blocks or disables automatic following', async () => {
    const { store } = await open()
    await store.commit(userChange('bob'))
    await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
    const shown = async (): Promise<readonly number[]> => (await relationOf(store, 'bob', 'alice')).shown
    same(await shown(), [0, 2])
    await store.commit(rosterChange('bob', { alice: { isDeclined: true } }))
    same(await shown(), [])
    await store.commit(rosterChange('bob', { alice: {} }))
    same(await shown(), [0, 2])
    await store.commit(rosterChange('bob', { alice: { isBlocked: true } }))
    same(await shown(), [])
    await store.commit(rosterChange('bob', { alice: {} }, { autoSync: false }))
    same(await shown(), [])
    await store.commit(rosterChange('bob', {}, { autoSync: true }))
    same(await shown(), [0, 2])
    await store.commit(rosterChange('alice', { bob: { isContact: true } }))
    same(await shown(), [])
    same((await store.user('bob')).unasked, 0)
    await store.close()
  })

  test('[F4] beyond the limit of unrequested owners, own contacts come first, and a freed place goes to the next owner', async () => {
    const { store } = await open({ unaskedOwners: 2 })
    for (const owner of ['a', 'b', 'c', 'd']) await store.commit(rosterChange(owner, { bob: { levels: [1] } }))
    await store.commit(userChange('bob'))
    same(await unasked(store, 'bob'), ['a', 'b'])
    await store.commit(rosterChange('bob', { d: { isContact: true } }))
    same(await unasked(store, 'bob'), ['a', 'd'])
    same((await relationOf(store, 'bob', 'b')).shown, [])
    await store.commit(rosterChange('bob', { c: { isContact: true } }))
    same(await unasked(store, 'bob'), ['c', 'd'])
    await store.commit(rosterChange('c', { bob: {} }))
    same(await unasked(store, 'bob'), ['a', 'd'])
    await store.commit(rosterChange('bob', { a: { isSubscribed: true } }))
    same(await unasked(store, 'bob'), ['b', 'd'])
    same((await store.user('bob')).unasked, 2)
    await store.commit(rosterChange('bob', { e: { isContact: true } }))
    await store.commit(rosterChange('e', { bob: { levels: [1] } }))
    same(await unasked(store, 'bob'), ['d', 'e'])
    await store.close()
  })

  test('[F4] an owner who is removed from the contacts loses the place to an owner who is a contact', async () => {
    const { store } = await open({ unaskedOwners: 1 })
    for (const owner of ['a', 'b']) await store.commit(rosterChange(owner, { bob: { levels: [1] } }))
    await store.commit(rosterChange('bob', { a: { isContact: true }, b: { isContact: true } }))
    same(await unasked(store, 'bob'), ['a'])
    await store.commit(rosterChange('bob', { a: {} }))
    same(await unasked(store, 'bob'), ['b'])
    await store.close()
  })

  test('[F4] an erased owner frees the place for another owner', async () => {
    const { store } = await open({ unaskedOwners: 1 })
    for (const owner of ['a', 'b']) await store.commit(rosterChange(owner, { bob: { levels: [1] } }))
    same(await unasked(store, 'bob'), ['a'])
    await store.commit({ type: 'erase', user: 'a' })
    same(await unasked(store, 'bob'), ['b'])
    await store.close()
  })

  test('[D7][F4] grants to the former holder of an erased user id show nothing to the next holder until they are confirmed', async () => {
    const { store } = await open()
    await store.commit(rosterChange('alice', { bob: { levels: [4] } }))
    await store.commit(userChange('bob'))
    await store.commit({ type: 'erase', user: 'bob' })
    same((await relationOf(store, 'bob', 'alice')).shown, [])
    await store.commit(userChange('bob'))
    same((await relationOf(store, 'bob', 'alice')).shown, [])
    const { unconfirmed } = (await relationOf(store, 'alice', 'bob')).mySide
    await store.commit(rosterChange('alice', { bob: { levels: [4], confirmed: [unconfirmed] } }))
    same((await relationOf(store, 'bob', 'alice')).shown, [0, 4])
    await store.close()
  })
}
