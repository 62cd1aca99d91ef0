import type { Citation } from './citations.ts'
import type { Rule, Section } from './texts.ts'

/** A patch that breaks the sources, and that the tests must catch. */
export interface Breakage {
  id: string
  rules: readonly string[]
  /** What is broken, in a sentence. */
  what: string
}

/** What docs/RULES.md says of the rules: each with the tests, properties and mutants that hold it. */
export function rulesPage(
  sections: readonly Section[],
  citations: readonly Citation[],
  mutants: readonly Breakage[],
): string {
  const head = [
    '# Rules',
    'Each rule has an id, which tests cite in their names: `[V3]`. Below each rule stand the tests that hold it, and groups of tests, with their files in `test/`.',
    '**Properties** hold it in any case: tests whose cases are drawn at random (they check a property of fast-check; the seed is printed), and those in `test/proof/`, which go through histories and interleavings.',
    '**Mutants** are patches that break it in the sources; `npm run mutants` applies each, and some test must fail.',
    'What becomes of two changes that two devices make apart stands at the end: [Two changes at once](#two-changes-at-once).',
    'This page is made: `npm test -- rules -u` writes it, from `test/rules/`, the names of the tests and the list of mutants.',
  ]
  return [...head, ...sections.map(section => sectionText(section, citations, mutants))].join('\n\n')
}

function sectionText(
  { title, introduction, rules }: Section,
  citations: readonly Citation[],
  mutants: readonly Breakage[],
): string {
  const head = introduction === undefined ? [`## ${title}`] : [`## ${title}`, introduction]
  return [...head, ...rules.map(rule => ruleText(rule, citations, mutants))].join('\n\n')
}

function ruleText({ id, text }: Rule, citations: readonly Citation[], mutants: readonly Breakage[]): string {
  const cited = citations.filter(citation => citation.ids.includes(id))
  const tests = cited.filter(({ isProperty }) => !isProperty).map(citationText)
  const properties = cited.filter(({ isProperty }) => isProperty).map(citationText)
  const broken = mutants.filter(({ rules }) => rules.includes(id)).map(({ id, what }) => `\`${id}\`: ${escaped(what)}`)
  const held = [...listed(undefined, tests), ...listed('Properties', properties), ...listed('Mutants', broken)]
  return [`### ${id}`, text, ...(cited.length > 0 ? held : ['No test yet.'])].join('\n\n')
}

function listed(title: string | undefined, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const list = lines.map(line => `- ${line}`).join('\n')
  return title === undefined ? [list] : [`**${title}**`, list]
}

function citationText({ name, file }: Citation): string {
  return `${escaped(name)} (${file})`
}

/** Markdown would take these for its own. */
function escaped(text: string): string {
  return text.replaceAll(/[<*]/g, '\\$&')
}
