import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A test, or a group of tests, whose name cites rules in brackets, as in `[V5][V6]`. */
export interface Citation {
  ids: readonly string[]
  name: string
  /** Relative to the folder searched, with forward slashes. */
  file: string
}

const literal = String.raw`(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\x60(?:[^\x60\\]|\\[\s\S])*\x60)`
/** As in `.each([…])`, `.each<T>(…)` or a table in a template: whatever stands before the name's own bracket. */
const given = String.raw`(?:\.(?:each|for|skipIf|runIf)\b[\s\S]*?[)\x60])?`
const call = new RegExp(
  String.raw`(?<![\w.$])(?:test|it|describe)((?:\.(?!each\b|for\b|skipIf\b|runIf\b)\w+)*)${given}\s*\(\s*(${literal}(?:\s*\+\s*${literal})*)`,
  'g',
)
const commentLines = /^\s*(?:\/\/.*$|\/\*[\s\S]*?\*\/)/gm

/** All citations in the test files of a folder, each once, by file and then by name. What is skipped holds nothing. */
export function citationsIn(folder: string): Citation[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.test.ts') && !path.includes('node_modules/'))
  const citations = files.flatMap(file =>
    namesIn(readFileSync(join(folder, file), 'utf8')).map(name => ({ ids: idsIn(name), name, file })),
  )
  return citations
    .filter(({ ids }) => ids.length > 0)
    .sort((a, b) => compare(a.file, b.file) || compare(a.name, b.name))
}

/** The names of tests and of groups of tests in a source, each once, as they are written there. */
export function namesIn(source: string): string[] {
  const names = new Set<string>()
  for (const [, modifiers, text] of source.replace(commentLines, '').matchAll(call)) {
    if (!/\.(?:skip|todo)\b/.test(modifiers ?? '')) names.add(textOf(text ?? ''))
  }
  return [...names]
}

/** The ids that a name cites. */
export function idsIn(name: string): string[] {
  return [...new Set([...name.matchAll(/\[([A-Z]\d+)\]/g)].map(([, id]) => id as string))]
}

/** Literals joined by `+`, as one line; `${…}`, `$name` and `%s` stay. */
function textOf(literals: string): string {
  const parts = literals.match(new RegExp(literal, 'g')) ?? []
  const text = parts.map(part =>
    part.slice(1, -1).replaceAll(/\\([\s\S])/g, (_, character) => escapes[character] ?? character),
  )
  return text.join('').replaceAll(/\s+/g, ' ').trim()
}

const escapes: Record<string, string> = { n: ' ', t: ' ', '\n': '' }

/** By code units, so that every machine sorts alike. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
