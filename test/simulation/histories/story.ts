import type { History } from './steps.ts'

/** Returns a history as a test that can be pasted. */
export function storyOf(history: History, wrong: readonly string[]): string {
  const { steps, ...world } = history
  const lines = [
    `test('[??] ${(wrong[0] ?? '').replaceAll("'", '’')}', async () => {`,
    `  await expectRight({`,
    `    ...${asCode(world)},`,
    `    steps: [`,
    ...steps.map(step => `      ${asCode(step)},`),
    `    ],`,
    `  })`,
    `})`,
  ]
  return lines.join('\n')
}

function asCode(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll('"', "'")
    .replaceAll(',', ', ')
}
