import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { generate } from './mutants/generated/generate.ts'
import { kept } from './mutants/generated/kept.ts'
import { sample } from './mutants/generated/sample.ts'
import { mutants } from './mutants/list/index.ts'
import { chosenOf } from './mutants/mutant.ts'
import { mutate } from './mutants/mutate.ts'
import { sections } from './rules/texts.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))

/** `npm run mutants` shows that each is caught; this, that they can be made and leave no rule out. */
describe('mutants', () => {
  test('a mutant breaks each rule, and two mutants break each rule of visibility', () => {
    const rules = sections.flatMap(section => section.rules.map(({ id }) => id))
    const count = (rule: string): number => mutants.filter(mutant => mutant.rules.includes(rule)).length
    const wanted = (rule: string): number => (rule.startsWith('V') ? 2 : 1)
    expect(rules.filter(rule => count(rule) < wanted(rule))).toEqual([])
    expect(mutants.filter(mutant => !mutant.rules.every(rule => rules.includes(rule)))).toEqual([])
  })

  test('each mutant has a unique name, and tests that exist', () => {
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length)
    for (const { id, tests } of mutants) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      for (const name of tests) expect(existsSync(`${here}${name}.test.ts`), `${id}: ${name}`).toBe(true)
    }
  })

  test.each(mutants)('the text that $id replaces is in its source file', ({ changes }) => {
    for (const file of new Set(changes.map(change => change.file))) {
      const source = readFileSync(root + file, 'utf8')
      expect(changes.filter(change => change.file === file).reduce(mutate, source)).not.toBe(source)
    }
  })

  test.each(kept)('the generated mutant of “$line” that is kept exists in $file', ({ file, line, change }) => {
    const made = generate(file, readFileSync(root + file, 'utf8')).filter(({ lineText }) => lineText === line)
    const changes = made.map(({ original, replacement }) => `${original} → ${replacement}`)
    expect(changes).toContain(change)
  })

  test('the operators generate each mutant at its place, and none in types', () => {
    const text = [
      'const limit: 3 | undefined = 3',
      'export async function f(a?: { b: number }): Promise<boolean> {',
      "  if (!a || a.b < limit) return g('x', [1])",
      '  await h(a?.b ?? 7)',
      '  return true',
      '}',
    ].join('\n')
    const made = generate('packages/a.ts', text).map(one => `${one.line} ${one.original} → ${one.replacement}`)
    expect(made).toEqual([
      '1 3 → 4',
      '1 3 → (2)',
      '3 !a || a.b < limit → true',
      '3 !a || a.b < limit → false',
      '3 || → &&',
      '3 !a → a',
      '3 < → <=',
      '3 < → >=',
      "3 g('x', [1]) → undefined",
      "3 'x' → ''",
      '3 [1] → []',
      '3 1 → 2',
      '3 1 → (0)',
      '4 await h(a?.b ?? 7) → {}',
      '4 await h(a?.b ?? 7) → (h(a?.b ?? 7))',
      '4 a?.b ?? 7 → a?.b',
      '4 ?. → .',
      '4 7 → 8',
      '4 7 → (6)',
      '5 true → undefined',
      '5 true → false',
    ])
    expect(new Set(generate('packages/a.ts', text).map(({ id }) => id)).size).toBe(made.length)
  })

  test('a seed decides the sample, and a larger sample begins with the smaller one', () => {
    const all = Array.from({ length: 1_000 }, (_, index) => index)
    const some = sample(all, 50, 7)
    expect(new Set(some).size).toBe(50)
    expect(sample(all, 80, 7).slice(0, 50)).toEqual(some)
    expect(sample(all, 50, 8)).not.toEqual(some)
    expect(sample(all, 2_000, 7).sort((a, b) => a - b)).toEqual(all)
  })

  test('mutants are chosen by their ids, their rules or parts of the names of mutated files', () => {
    const idsOf = (...names: string[]): string[] => chosenOf(mutants, names).map(({ id }) => id)
    const [repetition] = mutants.filter(({ changes }) => changes.some(({ file }) => file.endsWith('/repetition.ts')))
    const { id, rules } = repetition as (typeof mutants)[number]
    expect(idsOf(id)).toEqual([id])
    expect(idsOf(...rules)).toContain(id)
    expect(idsOf('nodes/repetition')).toContain(id)
    expect(idsOf(id, 'tokens.ts').length).toBeGreaterThan(1)
    expect(idsOf('server/src/nowhere.ts')).toEqual([])
    expect(chosenOf(mutants, undefined)).toEqual(mutants)
  })

  test('a mutant whose text is missing, or occurs twice, is reported as stale', () => {
    for (const find of ['c', 'a']) {
      expect(() => mutate('a b a', { file: 'x.ts', find, replace: '' })).toThrow(/x\.ts has (0|2) times/)
    }
  })
})
