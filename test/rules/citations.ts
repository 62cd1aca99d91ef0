import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A test, or a group of tests, whose name cites rules in brackets, as in `[V5][V6]`. */
export interface Citation {
  ids: readonly string[]
  name: string
  /** Relative to the folder searched, with forward slashes. */
  file: string
  /** Whether it checks all cases: a fast-check property, or histories of `simulation/`. */
  isProperty: boolean
}

/** A test, or a group of tests, in a source. */
interface Named {
  name: string
  isProperty: boolean
}

const literal = String.raw`(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\x60(?:[^\x60\\]|\\[\s\S])*\x60)`
/** As in `.each([…])`, `.each<T>(…)` or a table in a template: everything before the name's own bracket. */
const given = String.raw`(?:\.(?:each|for|skipIf|runIf)\b[\s\S]*?[)\x60])?`
const call = new RegExp(
  String.raw`(?<![\w.$])(?:test|it|describe)((?:\.(?!each\b|for\b|skipIf\b|runIf\b)\w+)*)${given}\s*\(\s*(${literal}(?:\s*\+\s*${literal})*)`,
  'g',
)
const commentLines = /^\s*(?:\/\/.*$|\/\*[\s\S]*?\*\/)/gm

/**
 * All citations in the test files of a folder, or in files with another `ending`. Each is listed once, sorted by file and then
 * by name. A skipped test cites nothing.
 */
export function citationsIn(folder: string, ending = '.test.ts'): Citation[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith(ending) && !path.includes('node_modules/'))
  const citations = files.flatMap(file =>
    testsIn(readFileSync(join(folder, file), 'utf8')).map(({ name, isProperty }) => ({
      ids: idsIn(name),
      name,
      file,
      isProperty: isProperty || file.startsWith('simulation/'),
    })),
  )
  return citations
    .filter(({ ids }) => ids.length > 0)
    .sort((a, b) => compare(a.file, b.file) || compare(a.name, b.name))
}

/** The names of tests and of groups of tests in a source, each once, as they are written there. */
export function testsIn(source: string): Named[] {
  const code = source.replace(commentLines, '')
  const check = propertyChecks(code)
  const tests = new Map<string, Named>()
  for (const { 1: modifiers, 2: text, index } of code.matchAll(call)) {
    if (/\.(?:skip|todo)\b/.test(modifiers ?? '')) continue
    const name = textOf(text ?? '')
    tests.set(name, { name, isProperty: check.test(statementAt(code, index)) })
  }
  return [...tests.values()]
}

/** Matches the calls that check a property: fast-check's own call, or a function of the same file that makes it. */
function propertyChecks(code: string): RegExp {
  const own = String.raw`fc\.(?:property|asyncProperty)\(`
  const functions = [...code.matchAll(/^(?:async )?function (\w+)[\s\S]*?\n\}$/gm)]
  const callers = functions.filter(([body]) => new RegExp(own).test(body)).map(([, name]) => String.raw`\b${name}\(`)
  return new RegExp([own, ...callers].join('|'))
}

/** The statement that begins in a line. Formatted code ends it with a bracket at the indentation of its first line. */
function statementAt(code: string, index: number): string {
  const start = code.lastIndexOf('\n', index) + 1
  const [first = '', ...rest] = code.slice(start).split('\n')
  if (first.endsWith(')')) return first
  const indentation = /^\s*/.exec(first)?.[0] ?? ''
  const end = rest.findIndex(line => new RegExp(`^${indentation}[})\\]].*\\)$|^${indentation}\\)$`).test(line))
  return [first, ...rest.slice(0, end + 1)].join('\n')
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

/** Compares by code units, so that every machine sorts in the same way. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
