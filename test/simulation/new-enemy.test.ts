import { expect, test } from 'vitest'
import { stories } from './new-enemy/stories.ts'

for (const { name, tell } of stories) {
  test(`[V4][V6][V7] no byte written since a viewer was shut out reaches them: ${name}`, {
    timeout: 30_000,
  }, async () => {
    expect(await tell()).toEqual({ bobSawTheSecret: false, carolSawTheSecret: true, bobKeptTheOld: false })
  })
}
