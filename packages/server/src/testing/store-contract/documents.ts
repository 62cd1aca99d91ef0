import { encodeFields } from '@kith/shared/wire'
import type { Commit } from '../../relations/commit.ts'
import { same } from './assertions.ts'
import { following, profileChange, settingsWith } from './changes.ts'
import type { Contract } from './contract.ts'

export function documents({ test, open }: Contract): void {
  test('a document is read as its updates in order, and a snapshot replaces all updates before it', async () => {
    const { store } = await open()
    const write = (byte: number, snapshot?: Uint8Array): Promise<Commit> => {
      const roster = { update: Uint8Array.of(byte), snapshot, facts: new Map(), settings: settingsWith() }
      return store.commit({ type: 'documents', user: 'alice', registers: false, roster })
    }
    for (let byte = 0; byte < 20; byte++) await write(byte)
    same(
      (await store.document('alice', 'roster')).parts.map(([byte]) => byte),
      Array.from({ length: 20 }, (_, i) => i),
    )
    same((await store.document('alice', 'profile')).parts, [])
    await Promise.all([write(20), write(21, Uint8Array.of(99)), write(22)])
    same(
      (await store.document('alice', 'roster')).parts.map(([byte]) => byte),
      [99, 22],
    )
    await store.close()
  })

  test('a level keeps its fields and the position of its last change, also when it was emptied', async () => {
    const { store } = await open()
    await store.commit(profileChange('alice', { 0: 'Ada', 200: 'Lovelace' }))
    await store.commit(profileChange('alice', { 0: undefined }))
    same(await store.levelsWithFields('alice'), [200])
    const levels = await store.levels([0, 200, 3].map(level => ({ owner: 'alice', level })))
    same(levels, [
      { position: 2, fields: encodeFields({}) },
      { position: 1, fields: encodeFields({ name: 'Lovelace' }) },
      undefined,
    ])
    same((await store.user('alice')).levels, { 0: 2, 200: 1 })
    await store.close()
  })

  test('[F1] changedSince names the users whose profile changed after a position, or returns undefined if there may be too many', async () => {
    const { store } = await open()
    await store.commit(profileChange('alice', { 0: 'Ada' }))
    await store.commit(profileChange('bob', { 0: 'Bob' }))
    await store.commit(profileChange('bob', { 0: 'Robert' }))
    same(await store.changedSince(0, 10), ['alice', 'bob'])
    same(await store.changedSince(1, 10), ['bob'])
    same(await store.changedSince(3, 10), [])
    same(await store.changedSince(0, 2), undefined)
    await store.close()
  })

  test('users whose ids share a prefix, or look like keys, are kept apart', async () => {
    const { store } = await open()
    const ids = ['a', 'aa', 'a/b', 'a\u{10FFFF}', 'a b', 'é', 'roster', 'u', '__proto__']
    for (const id of ids) {
      await store.commit(profileChange(id, { 1: id }))
      await store.commit(following(id, ...ids.filter(other => other !== id && other !== 'a')))
    }
    for (const id of ids) {
      same((await store.relations(id)).map(({ owner }) => owner).sort(), ids.filter(other => other !== id).sort())
      same((await store.document(id, 'profile')).parts.length, 1)
      same((await store.levels([{ owner: id, level: 1 }]))[0]?.fields, encodeFields({ name: id }))
    }
    await store.commit({ type: 'erase', user: 'a' })
    same((await store.document('a', 'profile')).parts, [])
    same((await store.document('aa', 'profile')).parts.length, 1)
    same(await store.levelsWithFields('a/b'), [1])
    await store.close()
  })
}
