import type { Audience, ContactFacts } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import type { LevelName } from '../../relations/records.ts'
import { contains, matches, same } from './assertions.ts'
import { factsWith, following, profileChange, relationOf, rosterChange, userChange } from './changes.ts'
import type { Contract } from './contract.ts'

export function relations({ test, open }: Contract): void {
  test('[D4] the facts that a roster states about another user are in both users’ relations', async () => {
    const { store } = await open()
    const facts = { isContact: true, levels: [0, 3, 255], isSubscribed: true, isDeclined: false, isBlocked: true }
    const stored = factsWith(facts)
    await store.commit(rosterChange('alice', { bob: facts }))
    same((await relationOf(store, 'alice', 'bob')).mine, stored)
    same((await relationOf(store, 'bob', 'alice')).theirs, stored)
    same((await relationOf(store, 'bob', 'alice')).mine, factsWith())
    await store.commit(rosterChange('alice', { bob: {} }))
    same((await relationOf(store, 'bob', 'alice')).theirs, factsWith())
    await store.close()
  })

  test('[V3] grants, blocks, the audience and restrictions decide the levels that a follower is shown, and each change notes its position', async () => {
    const { store } = await open()
    await store.commit(following('bob', 'alice'))
    await store.commit(userChange('alice'))
    const shown = async (): Promise<[readonly number[], number]> => {
      const { shown: levels, changedAt } = await relationOf(store, 'bob', 'alice')
      return [levels, changedAt]
    }
    same(await shown(), [[0], 2])
    await store.commit(rosterChange('alice', { bob: { levels: [2, 7] } }))
    same(await shown(), [[0, 2, 7], 3])
    await store.commit(rosterChange('alice', { carol: { isBlocked: true } }))
    same(await shown(), [[0, 2, 7], 3])
    await store.commit(rosterChange('alice', { bob: {} }, { audience: 'nobody' }))
    same(await shown(), [[], 5])
    await store.commit(rosterChange('alice', { bob: { isContact: true } }, { audience: 'contacts' }))
    same(await shown(), [[0], 6])
    await store.commit(userChange('bob', { restricted: true }))
    same(await shown(), [[], 7])
    const { pairs } = await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
    contains(pairs, { viewer: 'bob', owner: 'alice' })
    same(await shown(), [[0], 8])
    await store.commit(rosterChange('bob', { alice: { isSubscribed: true, isBlocked: true } }))
    same(await shown(), [[], 9])
    await store.close()
  })

  test('[V4] a commit says that it narrows whose messages reach its user, and only then', async () => {
    const { store } = await open()
    const narrows = async (messageAudience: Audience): Promise<boolean> =>
      (await store.commit(rosterChange('alice', {}, { messageAudience }))).narrowsMessages === true
    const audiences: Audience[] = ['everyone', 'contacts', 'contacts', 'nobody', 'contacts', 'everyone', 'nobody']
    const found: boolean[] = []
    for (const audience of audiences) found.push(await narrows(audience))
    same(found, [false, true, false, true, false, false, true])
    const contact = async (facts: Partial<ContactFacts>): Promise<boolean> =>
      (await store.commit(rosterChange('alice', { bob: facts }))).narrowsMessages === true
    const isNarrower: boolean[] = []
    for (const facts of [{ isContact: true }, { levels: [1] }, {}, {}]) isNarrower.push(await contact(facts))
    same(isNarrower, [false, false, true, false])
    await store.close()
  })

  test('[V4] views say the position of the state that they and their levels were read in', async () => {
    const { store } = await open()
    const seen = async (): Promise<[number, readonly number[], string[]]> => {
      const wanted = (): LevelName[] => [0, 1].map(level => ({ owner: 'alice', level }))
      const { at, views, levels } = await store.views('bob', ['alice', 'nobody'], wanted)
      const names = levels.map(level => (level ? (decodeFields(level.fields)['name'] as string) : 'none'))
      return [at, views[0]?.relation.shown ?? [], names]
    }
    await store.commit(following('bob', 'alice'))
    same(await seen(), [1, [], ['none', 'none']])
    await store.commit(profileChange('alice', { 0: 'Ada' }))
    same(await seen(), [2, [0], ['Ada', 'none']])
    await store.commit(profileChange('alice', { 0: 'Countess', 1: 'of Lovelace' }))
    same(await seen(), [3, [0], ['Countess', 'of Lovelace']])
    let pages = 0
    for await (const { at, relations } of store.relationsOf('bob')) {
      pages++
      same([at, relations.map(({ owner }) => owner)], [3, ['alice']])
    }
    same(pages, 1)
    await store.close()
  })

  test('pairs are symmetric, may name users who have not registered, and can be removed', async () => {
    const { store } = await open()
    await store.commit({ type: 'pair', a: 'alice', b: 'bob', isPaired: true })
    same((await relationOf(store, 'bob', 'alice')).isPaired, true)
    same(
      (await store.relations('alice')).map(({ owner }) => owner),
      ['bob'],
    )
    same((await store.user('alice')).registeredAt, 0)
    await store.commit({ type: 'pair', a: 'bob', b: 'alice', isPaired: false })
    same(await store.relations('alice'), [])
    same(await store.relations('bob'), [])
    await store.close()
  })

  test('a relation that ends leaves a tombstone with the position of its end', async () => {
    const { store } = await open()
    await store.commit(userChange('alice'))
    await store.commit(following('bob', 'alice'))
    await store.commit(rosterChange('bob', { alice: {} }))
    matches(await store.relations('bob'), [{ owner: 'alice', relation: { shown: [], changedAt: 3 } }])
    await store.close()
  })
}
