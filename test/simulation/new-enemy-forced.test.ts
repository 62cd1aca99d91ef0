import { expect, test } from 'vitest'
import { newEnemyMutants } from '../mutants/list/new-enemy.ts'
import type { stories } from './new-enemy/stories.ts'

/** The story in which Bob sees the secret, by mutant. The last mutants come from the other lists. */
const forced = new Map([
  ...newEnemyMutants.map(({ id, names = '' }) => [id, names] as const),
  ['offer-before-recheck', 'after a revocation, an edit in one commit: a viewer who follows live'],
  ['fetched-not-rechecked', 'after privacy for contacts, an edit in one commit: a viewer who only looks'],
  [
    'commit-under-way-overlooked',
    'after a revocation, an edit in one commit: a viewer who catches up while it is on disk and not told',
  ],
])

for (const [id, name] of forced) {
  test(`[V4][V6] without the order that ${id} removes, the viewer sees the secret: ${name}`, {
    timeout: 30_000,
  }, async () => {
    const path = `./new-enemy/stories.ts?mutant=${id}`
    const broken: { stories: typeof stories } = await import(path)
    const story = broken.stories.find(one => one.name.startsWith(name))
    expect(await story?.tell()).toMatchObject({ bobSawTheSecret: true })
  })
}
