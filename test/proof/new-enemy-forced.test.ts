import { expect, test } from 'vitest'
import { mutants } from '../mutants/list/index.ts'
import { newEnemyMutants } from '../mutants/list/new-enemy.ts'
import type { stories } from './new-enemy/stories.ts'

/** Mutants of the list as a whole that take out the order as well. */
const others: Readonly<Record<string, string>> = {
  'offer-before-recheck': 'after a revocation, an edit in one commit: a viewer who follows live',
  'commit-under-way-overlooked':
    'after a revocation, an edit in one commit: a viewer who catches up while it is on disk and not told',
}

const forced = mutants.flatMap(({ id, what, names = '' }) => {
  const name = others[id] ?? (newEnemyMutants.some(one => one.id === id) ? names : undefined)
  return name === undefined ? [] : [{ id, what, name }]
})

for (const { id, what, name } of forced) {
  test(`[V4][V6] ${what} – then ${name} sees it`, async () => {
    const path = `./new-enemy/stories.ts?mutant=${id}`
    const broken: { stories: typeof stories } = await import(path)
    const story = broken.stories.find(one => one.name.startsWith(name))
    expect(await story?.tell()).toMatchObject({ bobSawTheSecret: true })
  })
}

test('every mutant that takes out the order is forced', () => {
  expect(forced).toHaveLength(newEnemyMutants.length + Object.keys(others).length)
})
