import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { mutants } from './mutants/list/index.ts'
import { mutate } from './mutants/mutate.ts'
import { sections } from './rules/texts.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))

/** `npm run mutants` shows that each is caught; this, that they can be made and leave no rule out. */
describe('mutants', () => {
  test('every rule is broken by one, and every rule of visibility by two', () => {
    const rules = sections.flatMap(section => section.rules.map(({ id }) => id))
    const count = (rule: string): number => mutants.filter(mutant => mutant.rules.includes(rule)).length
    const wanted = (rule: string): number => (rule.startsWith('V') ? 2 : 1)
    expect(rules.filter(rule => count(rule) < wanted(rule))).toEqual([])
    expect(mutants.filter(mutant => !mutant.rules.every(rule => rules.includes(rule)))).toEqual([])
  })

  test('each has a name of its own, and tests that exist', () => {
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length)
    for (const { id, tests } of mutants) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      for (const name of tests) expect(existsSync(`${here}${name}.test.ts`), `${id}: ${name}`).toBe(true)
    }
  })

  test.each(mutants)('$id: the text that it replaces stands where it was', ({ changes }) => {
    for (const file of new Set(changes.map(change => change.file))) {
      const source = readFileSync(root + file, 'utf8')
      expect(changes.filter(change => change.file === file).reduce(mutate, source)).not.toBe(source)
    }
  })

  test('a text that is not there, or twice, is stale', () => {
    for (const find of ['c', 'a']) {
      expect(() => mutate('a b a', { file: 'x.ts', find, replace: '' })).toThrow(/x\.ts has (0|2) times/)
    }
  })
})
