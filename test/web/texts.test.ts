import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'vite'
import { describe, expect, test } from 'vitest'
import { ar } from '../../examples/web/src/texts/ar.ts'
import { de } from '../../examples/web/src/texts/de.ts'
import { en } from '../../examples/web/src/texts/en.ts'

const sources = fileURLToPath(new URL('../../examples/web/src/', import.meta.url))

/**
 * Returns all texts of a language by their path, as in `person.block`. A text with arguments is formed with these arguments.
 */
function textsOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value === 'string') return new Map([[path, value]])
  if (typeof value === 'function') {
    const given = Array.from({ length: value.length }, (_, index) => 11 * (index + 1))
    return new Map([[`${path}(${given.length})`, value(...given)]])
  }
  return new Map(Object.entries(value as object).flatMap(([key, one]) => [...textsOf(one, `${path}.${key}`)]))
}

const english = textsOf(en)

const signs = ['.device.moreNews(1)', '.contacts.moreCircles(1)']
/** Texts that are the same in German. */
const alsoGerman = [
  ...['.page.oneDevice', '.device.online', '.circles.other(1)', '.fields.name', '.fields.web', '.story.laptop'],
  ...['.story.server', '.sync.offline', '.story.offline', '.trace.state.online', '.trace.state.offline'],
  ...['.trace.filters', '.trace.bytes', '.trace.whyOffline', '.trace.person', '.trace.facts.field(2)'],
  ...['.person.onlineNow', '.contacts.online', '.contacts.inCircles(1)'],
]

describe.each([
  ['de', de],
  ['ar', ar],
] as const)('the language %s', (tag, texts) => {
  const translated = textsOf(texts)

  test('has a text of its own wherever English has one, with the same arguments', () => {
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort())
    const same = [...translated].filter(([path, text]) => text === english.get(path)).map(([path]) => path)
    const alike = tag === 'ar' ? signs : [...signs, ...alsoGerman]
    expect(same.filter(path => !alike.includes(path))).toEqual([])
    expect([...translated].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  test('says each argument of a text', () => {
    const missing = [...translated].filter(([path, text]) => {
      const count = Number(/\((\d)\)$/.exec(path)?.[1] ?? 0)
      return Array.from({ length: count }, (_, index) => String(11 * (index + 1))).some(given => !text.includes(given))
    })
    expect(missing).toEqual([])
  })
})

test('no component has a text of its own: all are in the languages', async () => {
  const files = (await readdir(sources, { recursive: true })).filter(name => name.endsWith('.tsx'))
  expect(files.length).toBeGreaterThan(40)
  const found: string[] = []
  for (const file of files) {
    const code = await readFile(sources + file, 'utf8')
    walk(parseAst(code, { lang: 'tsx' }), node => {
      const words = wordsOf(node)
      if (words && /\p{L}{2}/u.test(words)) found.push(`${file}: ${words.trim()}`)
    })
  }
  // The name of Kith, and examples of input.
  const names = /: (Kith|alice|phone|bob)$/
  expect(found.filter(text => !names.test(text))).toEqual([])
})

interface Node {
  type: string
  value?: unknown
  name?: { name?: unknown }
}

/** Returns the text that a node of JSX shows or says; `undefined` if it has none. */
function wordsOf(node: Node): string | undefined {
  if (node.type === 'JSXText') return String(node.value)
  if (node.type !== 'JSXAttribute') return undefined
  const { value, name } = node
  if (!['aria-label', 'title', 'placeholder', 'alt', 'label'].includes(String(name?.name))) return undefined
  const literal = value as { type?: string; value?: unknown } | null
  return literal?.type === 'Literal' ? String(literal.value) : undefined
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const one of value) walk(one, visit)
  else if (typeof value === 'object' && value !== null) {
    if ('type' in value) visit(value as Node)
    for (const one of Object.values(value)) walk(one, visit)
  }
}
