import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Citation, citationsIn, idsIn, namesIn } from './rules/citations.ts'
import { type Rule, type Section, sections } from './rules/texts.ts'

// The examples below cite rules, and hold none.
const here = 'rules.test.ts'
const citations = citationsIn(fileURLToPath(new URL('.', import.meta.url))).filter(({ file }) => file !== here)
const ids = sections.flatMap(({ rules }) => rules.map(({ id }) => id))

describe('docs/RULES.md', () => {
  test('says which tests hold each rule; `npm test -- rules -u` writes it anew', async () => {
    await expect(page(sections, citations)).toMatchFileSnapshot('../docs/RULES.md')
  })

  test('every rule is cited by a test', () => {
    const cited = new Set(citations.flatMap(citation => citation.ids))
    expect(ids.filter(id => !cited.has(id))).toEqual([])
  })

  test('no test cites a rule that there is none of', () => {
    expect(citations.filter(citation => citation.ids.some(id => !ids.includes(id)))).toEqual([])
  })

  test('a rule has one id, and they count up', () => {
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
    expect(namesIn(source)).toEqual(names)
  })

  test('ids stand in brackets, one or several', () => {
    expect(idsIn('[V5][V6] a field')).toEqual(['V5', 'V6'])
    expect(idsIn('V5 (V6), [list] a[0], [V7] and [D2]')).toEqual(['V7', 'D2'])
  })
})

function page(all: readonly Section[], found: readonly Citation[]): string {
  const head = [
    '# Rules',
    'Each rule has an id, which tests cite in their names: `[V3]`. Below each rule stand the tests that hold it, and groups of tests, with their files in `test/`.',
    'This page is made: `npm test -- rules -u` writes it, from `test/rules/texts.ts` and the names of the tests.',
  ]
  return `${[...head, ...all.map(section => sectionText(section, found))].join('\n\n')}\n`
}

function sectionText({ title, introduction, rules }: Section, found: readonly Citation[]): string {
  const head = introduction === undefined ? [`## ${title}`] : [`## ${title}`, introduction]
  return [...head, ...rules.map(rule => ruleText(rule, found))].join('\n\n')
}

function ruleText({ id, text }: Rule, found: readonly Citation[]): string {
  const tests = found
    .filter(citation => citation.ids.includes(id))
    .map(({ name, file }) => `- ${escaped(name)} (${file})`)
  const held = tests.length > 0 ? tests.join('\n') : 'No test yet.'
  return `### ${id}\n\n${text}\n\n${held}`
}

/** Markdown would take these for its own. */
function escaped(name: string): string {
  return name.replaceAll(/[<*]/g, '\\$&')
}
