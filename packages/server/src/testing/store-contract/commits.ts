import assert from 'node:assert/strict'
import type { Commit } from '../../relations/commit.ts'
import { matches, same } from './assertions.ts'
import { userChange } from './changes.ts'
import type { Contract } from './contract.ts'

export function commits({ test, open }: Contract): void {
  test('a new store is empty, and each read says so', async () => {
    const { store } = await open()
    same(store.position, 0)
    same(store.run.length, 8)
    matches(await store.user('nobody'), { registeredAt: 0, audience: 'everyone', levels: {} })
    same(await store.users([]), [])
    same(await store.views('nobody', []), { at: 0, views: [], levels: [] })
    const wanted = [{ owner: 'alice', level: 0 }]
    matches(await store.views('nobody', ['alice'], () => wanted), {
      at: 0,
      views: [{ relation: { shown: [], changedAt: 0 } }],
      levels: [undefined],
    })
    same((await store.document('nobody', 'roster')).parts, [])
    same(await store.relations('nobody'), [])
    same(await store.levels([{ owner: 'nobody', level: 0 }]), [undefined])
    same(await store.levels([]), [])
    same(await store.levelsWithFields('nobody'), [])
    same((await store.revocation('nobody')).atMs, 0)
    same(await store.hasAsked('nobody', 'alice'), false)
    same(await store.changedSince(0, 10), [])
    same(await store.oldestCursor(), 0)
    await store.close()
  })

  test('[D2] commits have the order of the calls, and listeners get each commit before its caller does', async () => {
    const { store } = await open()
    const story: string[] = []
    const batches: number[] = []
    store.onCommit({
      committed: commits => {
        batches.push(commits.length)
        for (const { position } of commits) story.push(`told ${position}`)
      },
    })
    const users = Array.from({ length: 600 }, (_, index) => `user ${index}`)
    const commits = await Promise.all(
      users.map(async user => {
        const commit = await store.commit(userChange(user))
        story.push(`answered ${commit.position}`)
        return commit
      }),
    )
    same(
      commits.map(({ position }) => position),
      users.map((_, index) => index + 1),
    )
    same(
      commits.map(({ subjects }) => subjects[0]),
      users,
    )
    const told = story.filter(line => line.startsWith('told'))
    same(
      told,
      users.map((_, index) => `told ${index + 1}`),
    )
    for (const { position } of commits) {
      assert.ok(story.indexOf(`told ${position}`) < story.indexOf(`answered ${position}`))
    }
    // The changes that arrive while one batch is written are the next batch: far fewer syncs than commits.
    same(batches[0], 1)
    assert.ok(batches.length < 10)
    same(store.position, 600)
    await store.close()
  })

  test('[D2] a change is written whether it comes right after another commit resolved or some microtasks later', async () => {
    const { store } = await open()
    for (let steps = 0; steps < 12; steps++) {
      await store.commit(userChange('alice'))
      for (let step = 0; step < steps; step++) await undefined
      await store.commit(userChange('bob'))
      const later = async (left: number): Promise<Commit> =>
        left === 0 ? store.commit(userChange('carol')) : later(left - 1)
      await later(steps)
    }
    same(store.position, 36)
    await store.close()
  })

  test('reads see a commit from the moment its listener is called', async () => {
    const { store } = await open()
    const seen: Promise<boolean>[] = []
    store.onCommit({
      committed: commits => {
        for (const { subjects, position } of commits) {
          assert.ok(store.position >= position)
          seen.push(store.user(subjects[0] as string).then(({ registeredAt }) => registeredAt === position))
        }
      },
    })
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.commit(userChange(`user ${index}`))))
    same(
      await Promise.all(seen),
      Array.from({ length: 20 }, () => true),
    )
    await store.close()
  })

  test('a listener is not called after it was removed', async () => {
    const { store } = await open()
    const told: Commit[] = []
    const stop = store.onCommit({ committed: commits => told.push(...commits) })
    await store.commit(userChange('alice'))
    stop()
    await store.commit(userChange('bob'))
    same(
      told.map(({ position }) => position),
      [1],
    )
    await store.close()
  })

  test('a closing store writes the changes it accepted, refuses later ones, and can be closed twice', async () => {
    const { store } = await open()
    const commits = Promise.all(['a', 'b', 'c'].map(user => store.commit(userChange(user))))
    const closed = store.close()
    same((await commits).length, 3)
    await assert.rejects(store.commit(userChange('d')))
    await closed
    await store.close()
  })
}
