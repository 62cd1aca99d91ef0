import { contains, matches, same } from './assertions.ts'
import { following, relationOf, rosterChange, userChange } from './changes.ts'
import type { Contract } from './contract.ts'

export function registration({ test, open }: Contract): void {
  test('[F3] a user registers once: with the first change that registers, or when the backend creates the user', async () => {
    const { store } = await open()
    await store.commit({ ...rosterChange('alice', { bob: { isContact: true } }), registers: false })
    same((await store.user('alice')).registeredAt, 0)
    same((await store.commit(rosterChange('alice', {}))).isNew, true)
    same((await store.commit(rosterChange('alice', {}))).isNew, false)
    same((await store.user('alice')).registeredAt, 2)
    same((await store.commit(userChange('bob', { restricted: true }))).isNew, true)
    same((await store.commit(userChange('bob', { restricted: false }))).isNew, false)
    await store.close()
  })

  test('[F3] only followers who may see the new user are notified that the user joined', async () => {
    const { store } = await open()
    await store.commit(following('bob', 'alice'))
    await store.commit(following('carol', 'alice'))
    await store.commit(rosterChange('dave', { alice: { isContact: true } }))
    await store.commit({ ...rosterChange('alice', { carol: { isBlocked: true } }), registers: false })
    const { position, pairs } = await store.commit(userChange('alice'))
    contains(pairs, { viewer: 'bob', owner: 'alice' })
    same((await relationOf(store, 'bob', 'alice')).joinedAt, position)
    same((await relationOf(store, 'carol', 'alice')).joinedAt, 0)
    same((await relationOf(store, 'dave', 'alice')).joinedAt, 0)
    await store.close()
  })

  test('[F3] a join is not announced if the backend says so', async () => {
    const { store } = await open()
    await store.commit(following('bob', 'alice'))
    await store.commit(userChange('alice', { announceJoin: false }))
    matches(await relationOf(store, 'bob', 'alice'), { joinedAt: 0, shown: [0] })
    await store.close()
  })

  test('registered users are read in the order of their ids, some at a time', async () => {
    const { store } = await open()
    for (const user of ['eve', 'ada', 'bob', 'adam']) await store.commit(userChange(user))
    await store.commit({ type: 'pair', a: 'ada', b: 'nobody', isPaired: true })
    await store.commit({ type: 'erase', user: 'bob' })
    const ids = async (after: string, most: number): Promise<string[]> =>
      (await store.registeredAfter(after, most)).map(([id]) => id)
    same(await ids('', 2), ['ada', 'adam'])
    same(await ids('adam', 2), ['eve'])
    same(await ids('eve', 2), [])
    same((await store.registeredAfter('', 1))[0]?.[1], await store.user('ada'))
    await store.close()
  })
}
