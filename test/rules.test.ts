import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { mutants } from './mutants/list/index.ts'
import { citationsIn, idsIn, testsIn } from './rules/citations.ts'
import { coveragePage, rulesPage } from './rules/page.ts'
import { sections } from './rules/texts.ts'
import { truthTable } from './rules/truth-table.ts'

// The examples below cite rules, and hold none.
const here = 'rules.test.ts'
const contract = 'packages/server/src/testing/store-contract/'
const citations = [
  ...citationsIn(fileURLToPath(new URL('.', import.meta.url))).filter(({ file }) => file !== here),
  ...citationsIn(fileURLToPath(new URL(`../${contract}`, import.meta.url)), '.ts').map(citation => ({
    ...citation,
    file: `../${contract}${citation.file}`,
  })),
]
const ids = sections.flatMap(({ rules }) => rules.map(({ id }) => id))

describe('docs/RULES.md and docs/COVERAGE.md', () => {
  test('docs/RULES.md states the rules and the truth tables; `npm test -- rules -u` writes it', async () => {
    await expect(`${rulesPage(sections)}\n\n${truthTable()}\n`).toMatchFileSnapshot('../docs/RULES.md')
  })

  test('docs/COVERAGE.md lists the tests and mutants of each rule; `npm test -- rules -u` writes it', async () => {
    await expect(`${coveragePage(sections, citations, mutants)}\n`).toMatchFileSnapshot('../docs/COVERAGE.md')
  })

  test('every rule is cited by a test', () => {
    const cited = new Set(citations.flatMap(citation => citation.ids))
    expect(ids.filter(id => !cited.has(id))).toEqual([])
  })

  test('a test cites existing rules only', () => {
    expect(citations.filter(citation => citation.ids.some(id => !ids.includes(id)))).toEqual([])
  })

  test('ids are unique and counted without gaps in each section', () => {
    expect(new Set(ids).size).toBe(ids.length)
    for (const { rules } of sections) {
      const letter = rules[0]?.id[0]
      expect(rules.map(({ id }) => id)).toEqual(rules.map((_, index) => `${letter}${index + 1}`))
    }
  })
})

describe('names are found', () => {
  test.each([
    ['in single quotes', `test('[V3] a', () => {})`, ['[V3] a']],
    ['in double quotes, with an apostrophe', `  test("[V3] a's", async () => {})`, ["[V3] a's"]],
    ['with an escape', `test('[V3] a\\'s', () => {})`, ["[V3] a's"]],
    ['in a template', `it(\`[V3] a \${b}\`, () => {})`, [`[V3] a \${b}`]],
    ['over several lines', `test(\n  '[V3] a',\n  () => {},\n)`, ['[V3] a']],
    ['joined', `test(\n  '[V3] a ' +\n    'b',\n)`, ['[V3] a b']],
    ['of groups', `describe('[V3] a', () => { test('b') })`, ['[V3] a', 'b']],
    ['after a table', `test.each([\n  ['x)', f(1)],\n])('[V3] %s', () => {})`, ['[V3] %s']],
    ['after a table with a type', `test.each<[string, () => void]>([[a, b]])(\n'[V3] %s', c)`, ['[V3] %s']],
    ['after a table in a template', `test.each\`\n a | b\n\${1} | \${2}\n\`('[V3] $a', () => {})`, ['[V3] $a']],
    ['after a condition', `test.skipIf(isSlow())('[V3] a', () => {})`, ['[V3] a']],
    ['of concurrent tests', `test.concurrent.each(all)('[V3] %s', () => {})`, ['[V3] %s']],
    ['but not of skipped tests', `test.skip('[V3] a') ; test.todo('[V3] b') ; it.skip.each([1])('[V3] %s', c)`, []],
    ['but not in comments', `// test('[V3] a')\n/* test('[V3] b') */\n/**\n * test('[V3] c')\n */`, []],
    ['but not of other things called test', `/a/.test('[V3] a') ; atest('[V3] b')`, []],
  ])('%s', (_, source, names) => {
    expect(testsIn(source).map(({ name }) => name)).toEqual(names)
  })

  test('ids stand in brackets, one or several', () => {
    expect(idsIn('[V5][V6] a field')).toEqual(['V5', 'V6'])
    expect(idsIn('V5 (V6), [list] a[0], [V7] and [D2]')).toEqual(['V7', 'D2'])
  })
})

describe('the coverage page lists properties apart from examples', () => {
  const drawn = '  holds(fc.property(levels, () => {}))'
  test.each([
    ['what checks one', `test('a', () => {\n${drawn}\n})`, true],
    ['with options', `test('a', {\n  timeout: 1,\n}, async () => {\n  await fc.asyncProperty(x)\n}, 5)`, true],
    ['a group of them', `describe('a', () => {\n  test('b', () => {\n  ${drawn}\n  })\n})`, true],
    ['by a function', `test('a', () => always(1))\nfunction always() {\n${drawn}\n}`, true],
    ['but no example', `test('a', () => {\n  expect(1)\n})`, false],
    ['beside one', `test('a', () => {\n  expect(1)\n})\ntest('b', () => {\n${drawn}\n})`, false],
    ['on a line of its own', `test('a', () => expect(1))\ntest('b', () => {\n${drawn}\n})`, false],
    ['by a function of examples', `test('a', () => once(1))\nfunction once() {\n}\nfunction b() {\n${drawn}\n}`, false],
  ])('%s', (_, source, isProperty) => {
    expect(testsIn(source)[0]).toEqual({ name: 'a', isProperty })
  })
})
