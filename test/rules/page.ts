import type { Citation } from './citations.ts'
import type { Rule, Section } from './texts.ts'

/** A patch that breaks the sources, and that the tests must catch. */
export interface Breakage {
  id: string
  rules: readonly string[]
  /** What the patch breaks, in a sentence. */
  what: string
}

/** The text of docs/RULES.md: each rule with its id, without data from the tests. */
export function rulesPage(sections: readonly Section[]): string {
  const head = [
    '# Rules',
    'The rules that Kith keeps. Each has an id, such as `[V3]`, which code comments, tests and the other documents cite.',
    '[COVERAGE.md](COVERAGE.md) lists the tests and mutants of each rule. The [glossary](ARCHITECTURE.md#words) explains the terms.',
    'The last section, [Two changes at once](#two-changes-at-once), lists the result of each pair of changes that two devices make offline.',
    'This page is generated: edit `test/rules/texts.ts`, then run `npm test -- rules -u`.',
  ]
  return [...head, ...sections.map(rulesOf)].join('\n\n')
}

function rulesOf(section: Section): string {
  return [...headOf(section), ...section.rules.map(({ id, text }) => `### ${id}\n\n${text}`)].join('\n\n')
}

/** The text of docs/COVERAGE.md: the tests, the properties and the mutants of each rule. */
export function coveragePage(
  sections: readonly Section[],
  citations: readonly Citation[],
  mutants: readonly Breakage[],
): string {
  const head = [
    '# Coverage',
    'The tests and mutants of each rule in [RULES.md](RULES.md).',
    '- **Tests** cite a rule in their name. The file is relative to `test/`.',
    '- **Properties** draw their cases at random and print the seed, or play whole histories (`test/simulation/`).',
    '- **Mutants** are patches that break a rule. `npm run mutants` applies each of them, and a test must fail.',
    'This page is generated from the names of the tests and the list of mutants: `npm test -- rules -u` writes it.',
  ]
  return [...head, ...sections.map(section => coverageOf(section, citations, mutants))].join('\n\n')
}

function coverageOf(section: Section, citations: readonly Citation[], mutants: readonly Breakage[]): string {
  return [`## ${section.title}`, ...section.rules.map(rule => coverageOfRule(rule, citations, mutants))].join('\n\n')
}

function coverageOfRule({ id }: Rule, citations: readonly Citation[], mutants: readonly Breakage[]): string {
  const cited = citations.filter(citation => citation.ids.includes(id))
  const tests = cited.filter(({ isProperty }) => !isProperty).map(citationText)
  const properties = cited.filter(({ isProperty }) => isProperty).map(citationText)
  const broken = mutants.filter(({ rules }) => rules.includes(id)).map(({ id, what }) => `\`${id}\`: ${escaped(what)}`)
  const lists = [...listed('Tests', tests), ...listed('Properties', properties), ...listed('Mutants', broken)]
  return [`### ${id}`, ...(cited.length > 0 ? lists : ['No test yet.'])].join('\n\n')
}

function headOf({ title, introduction }: Section): string[] {
  return introduction === undefined ? [`## ${title}`] : [`## ${title}`, introduction]
}

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  return [`**${title}**`, lines.map(line => `- ${line}`).join('\n')]
}

function citationText({ name, file }: Citation): string {
  return `${escaped(name)} (${file})`
}

/** Escapes characters that Markdown would interpret. */
function escaped(text: string): string {
  return text.replaceAll(/[<*]/g, '\\$&')
}
