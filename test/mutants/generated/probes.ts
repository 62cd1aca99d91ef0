import { functionsOf, parse } from './syntax.ts'

/** The functions that were called, by source file. The probes that {@link probed} inserts write here. */
export type Calls = Record<string, true[]>

const calls = 'globalThis.__kithCalls'

/** Returns the source with a probe at the beginning of each function. */
export function probed(file: string, text: string): string {
  const inserts: { at: number; text: string }[] = []
  functionsOf(parse(file, text)).forEach((node, index) => {
    const { type, start, end } = node['body'] as { type: string; start: number; end: number }
    const probe = `__kithHere[${index}] = true`
    if (type === 'BlockStatement') inserts.push({ at: start + 1, text: `${probe};` })
    else inserts.push({ at: start, text: `(${probe}, ` }, { at: end, text: ')' })
  })
  let result = ''
  let last = 0
  for (const insert of inserts.sort((a, b) => a.at - b.at)) {
    result += text.slice(last, insert.at) + insert.text
    last = insert.at
  }
  return `var __kithHere = ((${calls} ??= {})[${JSON.stringify(file)}] ??= []); ${result}${text.slice(last)}`
}
