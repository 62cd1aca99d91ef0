import { parseSync } from 'vite'

/** A node of the syntax tree (ESTree with TypeScript), with its place in the text. */
export interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** Fields that contain types. They do not exist when the program runs. */
const typeFields: ReadonlySet<string> = new Set([
  'typeAnnotation',
  'returnType',
  'typeParameters',
  'typeArguments',
  'superTypeArguments',
  'implements',
])

/** Nodes of TypeScript's syntax that contain an expression which runs. */
const runs: ReadonlySet<string> = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'])

export function parse(file: string, text: string): Node {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`)
  return program as unknown as Node
}

/** Visits the nodes that run, outermost first. `parents` are the nodes around a node, the nearest last. */
export function walk(node: Node, visit: (node: Node, parents: readonly Node[]) => void, parents: Node[] = []): void {
  visit(node, parents)
  parents.push(node)
  for (const [field, value] of Object.entries(node)) {
    if (typeFields.has(field)) continue
    for (const child of Array.isArray(value) ? value : [value]) if (isRunning(child)) walk(child, visit, parents)
  }
  parents.pop()
}

function isRunning(value: unknown): value is Node {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('start' in value)) return false
  const { type } = value as Node
  if (type === 'ImportDeclaration' || type === 'ExportAllDeclaration') return false
  return !type.startsWith('TS') || runs.has(type)
}

export function isFunction({ type }: Node): boolean {
  return type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
}

/** Returns the functions of a program in their order. Coverage identifies them by their numbers. */
export function functionsOf(program: Node): Node[] {
  const functions: Node[] = []
  walk(program, node => {
    if (isFunction(node)) functions.push(node)
  })
  return functions
}
