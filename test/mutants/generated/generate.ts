import { type Edit, editsOf } from './operators.ts'
import { functionsOf, isFunction, type Node, parse, walk } from './syntax.ts'

/** A mistake that an operator makes at one place of a source file. */
export interface Generated extends Edit {
  /** From the repository's root. */
  file: string
  line: number
  /** The line on which it begins, without its indentation. */
  lineText: string
  /** What stands there. */
  original: string
  /** The number of the function around it, in the order of the file; `undefined` outside of all. */
  inFunction: number | undefined
  /** Names it, as long as its line stays as it is: file, line's text, and what it makes of what. */
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

/** An arrow's body is its own, though the edit hangs on the arrow. */
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

/** The source with the mistake made. */
export function applied(
  text: string,
  { start, end, replacement }: Pick<Edit, 'start' | 'end' | 'replacement'>,
): string {
  return text.slice(0, start) + replacement + text.slice(end)
}
