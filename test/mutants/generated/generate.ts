import { type Edit, editsOf } from './operators.ts'
import { functionsOf, isFunction, type Node, parse, walk } from './syntax.ts'

/** A mistake that an operator makes at one place of a source file. */
export interface Generated extends Edit {
  /** The path from the repository's root. */
  file: string
  line: number
  /** The line on which the mistake begins, without its indentation. */
  lineText: string
  /** The original text. */
  original: string
  /** The number of the function around it, in the order of the file; `undefined` outside of all functions. */
  inFunction: number | undefined
  /** Identifies the mistake as long as its line does not change: file, text of the line, original and replacement. */
  id: string
}

export function generate(file: string, text: string): Generated[] {
  const program = parse(file, text)
  const numbers = new Map(functionsOf(program).map((node, index) => [node, index]))
  const made = new Map<string, Generated>()
  const counts = new Map<string, number>()
  walk(program, (node, parents) => {
    const around = [...parents].reverse().find(isFunction)
    for (const edit of editsOf(node, parents, text)) {
      const place = `${edit.start} ${edit.end} ${edit.replacement}`
      if (made.has(place)) continue
      made.set(place, describe(file, text, edit, counts, inFunction(node, around, numbers)))
    }
  })
  return [...made.values()]
}

/** The body of an arrow function belongs to that function, even though the edit is attached to the arrow. */
function inFunction(node: Node, around: Node | undefined, numbers: ReadonlyMap<Node, number>): number | undefined {
  const holder = node.type === 'ArrowFunctionExpression' ? node : around
  return holder && numbers.get(holder)
}

function describe(
  file: string,
  text: string,
  edit: Edit,
  counts: Map<string, number>,
  inFunction: number | undefined,
): Generated {
  const before = text.slice(0, edit.start)
  const line = before.split('\n').length
  const lineText = (text.split('\n')[line - 1] ?? '').trim()
  const original = text.slice(edit.start, edit.end)
  const name = `${file} | ${lineText} | ${original} → ${edit.replacement}`
  const count = (counts.get(name) ?? 0) + 1
  counts.set(name, count)
  return { ...edit, file, line, lineText, original, inFunction, id: count === 1 ? name : `${name} | ${count}` }
}

/** Returns the source with the mistake. */
export function applied(
  text: string,
  { start, end, replacement }: Pick<Edit, 'start' | 'end' | 'replacement'>,
): string {
  return text.slice(0, start) + replacement + text.slice(end)
}
