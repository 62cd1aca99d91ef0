import type { Node } from './syntax.ts'

/** A replacement that an operator makes for a part of the text. */
export interface Edit {
  operator: string
  start: number
  end: number
  replacement: string
}

/** The usual mutation operators (Offutt et al. 1996; those of StrykerJS and PIT) that can be applied to TypeScript. */
export function editsOf(node: Node, parents: readonly Node[], text: string): Edit[] {
  const textOf = ({ start, end }: Node): string => text.slice(start, end)
  const edits: Edit[] = []
  const put = (operator: string, { start, end }: { start: number; end: number }, replacement: string): void => {
    if (text.slice(start, end) !== replacement) edits.push({ operator, start, end, replacement })
  }
  const parent = parents.at(-1)
  switch (node.type) {
    case 'BinaryExpression': {
      const { left, right, operator } = node as Node & { left: Node; right: Node; operator: string }
      const isText = [left, right].some(side => side.type === 'TemplateLiteral' || typeof side['value'] === 'string')
      if (operator === '+' && isText) break
      const at = operatorPlace(text, left, right, operator)
      for (const [name, other] of binary[operator] ?? []) put(name, at, other)
      if (operator === 'in' || operator === 'instanceof') put('negation', node, `!(${textOf(node)})`)
      break
    }
    case 'LogicalExpression': {
      const { left, right, operator } = node as Node & { left: Node; right: Node; operator: string }
      if (operator === '??') put('no fallback', node, textOf(left))
      else put('and/or', operatorPlace(text, left, right, operator), operator === '&&' ? '||' : '&&')
      break
    }
    case 'IfStatement':
    case 'ConditionalExpression': {
      const test = node['test'] as Node
      put('always', test, 'true')
      put('never', test, 'false')
      break
    }
    case 'WhileStatement':
    case 'ForStatement': {
      const test = node['test'] as Node | null
      if (test) put('never', test, 'false')
      break
    }
    case 'ForOfStatement':
      put('no rounds', node['right'] as Node, '[]')
      break
    case 'UnaryExpression':
      if (node['operator'] === '!' || node['operator'] === '-')
        put('no operator', node, textOf(node['argument'] as Node))
      break
    case 'UpdateExpression': {
      const argument = node['argument'] as Node
      const other = node['operator'] === '++' ? '--' : '++'
      put('up/down', node, node['prefix'] ? other + textOf(argument) : textOf(argument) + other)
      break
    }
    case 'AssignmentExpression': {
      const { left, right, operator } = node as Node & { left: Node; right: Node; operator: string }
      const other = assignments[operator]
      if (other) put('assignment', operatorPlace(text, left, right, operator), other)
      break
    }
    case 'AwaitExpression':
      put('no await', node, `(${textOf(node['argument'] as Node)})`)
      break
    case 'Literal':
      if (parent && !isName(node, parent)) for (const [name, other] of literals(node, parents)) put(name, node, other)
      break
    case 'TemplateLiteral': {
      const quasis = node['quasis'] as Node[]
      if (!quasis.some(quasi => text.slice(quasi.start, quasi.end).includes(' '))) put('text', node, '``')
      break
    }
    case 'ArrayExpression':
      if ((node['elements'] as unknown[]).length > 0) put('emptied', node, '[]')
      break
    case 'ObjectExpression':
      if ((node['properties'] as unknown[]).length > 0) put('emptied', node, '{}')
      break
    case 'MemberExpression':
    case 'CallExpression':
      for (const edit of callEdits(node, text)) edits.push(edit)
      break
    case 'ExpressionStatement':
      if (typeof node['directive'] !== 'string') put('statement removed', node, '{}')
      break
    case 'ThrowStatement':
    case 'ContinueStatement':
      put('statement removed', node, '{}')
      break
    case 'ReturnStatement': {
      const argument = node['argument'] as Node | null
      if (argument) put('nothing returned', argument, 'undefined')
      else put('statement removed', node, '{}')
      break
    }
    case 'ArrowFunctionExpression': {
      const body = node['body'] as Node
      if (body.type !== 'BlockStatement') put('nothing returned', body, 'undefined')
      break
    }
  }
  return edits
}

const binary: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  '<': [
    ['boundary', '<='],
    ['negation', '>='],
  ],
  '<=': [
    ['boundary', '<'],
    ['negation', '>'],
  ],
  '>': [
    ['boundary', '>='],
    ['negation', '<='],
  ],
  '>=': [
    ['boundary', '>'],
    ['negation', '<'],
  ],
  '===': [['negation', '!==']],
  '!==': [['negation', '===']],
  '+': [['arithmetic', '-']],
  '-': [['arithmetic', '+']],
  '*': [['arithmetic', '/']],
  '/': [['arithmetic', '*']],
  '%': [['arithmetic', '*']],
  '**': [['arithmetic', '*']],
  '>>': [['arithmetic', '<<']],
  '<<': [['arithmetic', '>>']],
  '>>>': [['arithmetic', '<<']],
  '&': [['arithmetic', '|']],
  '|': [['arithmetic', '&']],
  '^': [['arithmetic', '&']],
}

const assignments: Readonly<Record<string, string>> = {
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '??=': '=',
  '||=': '=',
  '&&=': '=',
}

function operatorPlace(text: string, left: Node, right: Node, operator: string): { start: number; end: number } {
  const start = text.indexOf(operator, left.end)
  if (start < 0 || start >= right.start) return { start: left.end, end: left.end }
  return { start, end: start + operator.length }
}

/** Returns whether this is the name of a property, an import or an export: with another name, the source would not compile. */
function isName(node: Node, parent: Node): boolean {
  if (parent.type.startsWith('Import') || parent.type.startsWith('Export')) return true
  return (parent.type === 'Property' || parent.type === 'PropertyDefinition') && parent['key'] === node
}

function literals(node: Node, parents: readonly Node[]): (readonly [string, string])[] {
  const { value, raw } = node as Node & { value: unknown; raw: string }
  if (typeof value === 'boolean') return [['constant', String(!value)]]
  if (typeof value === 'number') {
    const isInIndex = parents.at(-1)?.type === 'MemberExpression'
    return [['constant', String(value + 1)], ...(isInIndex ? [] : [['constant', `(${value - 1})`] as const])]
  }
  // Texts with spaces are prose for people, so they are left unchanged.
  if (typeof value === 'string' && !raw.includes(' ')) return [['text', value === '' ? "'mutated'" : "''"]]
  return []
}

/**
 * Edits of calls: `a?.b` without its question mark, and calls without (or with another one of) the methods that narrow, order
 * or choose.
 */
function callEdits(node: Node, text: string): Edit[] {
  const edits: Edit[] = []
  if (node['optional'] === true) {
    const before = (node.type === 'CallExpression' ? node['callee'] : node['object']) as Node
    const start = text.indexOf('?.', before.end)
    const next = text[start + 2]
    const replacement = next === '(' || next === '[' ? '' : '.'
    if (start >= 0) edits.push({ operator: 'not optional', start, end: start + 2, replacement })
  }
  const callee = node['callee'] as Node | undefined
  if (node.type !== 'CallExpression' || callee?.type !== 'MemberExpression' || callee['computed']) return edits
  const { object, property } = callee as Node & { object: Node; property: Node }
  const name = text.slice(property.start, property.end)
  const other = methods[name]
  if (other !== undefined)
    edits.push({ operator: 'method', start: property.start, end: property.end, replacement: other })
  const isDropped = dropped.has(name) && !callee['optional'] && object.type !== 'Super'
  if (isDropped) edits.push({ operator: 'no method', start: object.end, end: node.end, replacement: '' })
  return edits
}

const methods: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  some: 'every',
  every: 'some',
  ceil: 'floor',
  floor: 'ceil',
}
const dropped: ReadonlySet<string> = new Set([
  'filter',
  'sort',
  'reverse',
  'slice',
  'subarray',
  'trim',
  'catch',
  'finally',
])
