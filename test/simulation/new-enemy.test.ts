import { expect, test } from 'vitest'
import { stories } from './new-enemy/stories.ts'

for (const { name, tell } of stories) {
  test(`[V4][V6][V7] no byte that is written after a viewer was excluded reaches the viewer: ${name}`, {
    timeout: 30_000,
  }, async () => {
    expect(await tell()).toEqual({ bobSawTheSecret: false, carolSawTheSecret: true, bobKeptTheOld: false })
  })
}
