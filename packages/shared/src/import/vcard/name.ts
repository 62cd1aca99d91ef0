import { onOneLine } from '../text/one-line.ts'
import type { KeptName } from './kept.ts'
import { splitText, unescapeText } from './text.ts'

/** The displayed name: FN, or otherwise the closest to it, with the reason. */
export function nameOf(
  texts: Readonly<Record<KeptName, readonly string[]>>,
  isOld: boolean,
  diagnose: (reason: string) => void,
): string | undefined {
  const plain = (text: string): string => onOneLine(unescapeText(text, isOld))
  const ways: [from: KeptName, read: (text: string) => string][] = [
    ['FN', plain],
    ['N', text => structuredName(text, isOld)],
    ['NICKNAME', text => plain(splitText(text, ',')[0] ?? '')],
    ['ORG', text => splitText(text, ';').map(plain).find(Boolean) ?? ''],
  ]
  for (const [from, read] of ways) {
    const name = texts[from].map(read).find(Boolean)
    if (name === undefined) continue
    if (from !== 'FN') diagnose(`There is no FN, so the name is that of ${from}`)
    return name
  }
  return undefined
}

/** N is family; given; additional; prefixes; suffixes. Each may be a list, except in version 2.1. */
function structuredName(text: string, isOld: boolean): string {
  const parts = splitText(text, ';').map(part => {
    const items = isOld ? [part] : splitText(part, ',')
    return onOneLine(items.map(item => unescapeText(item, isOld)).join(' '))
  })
  const [family = '', given = '', additional = '', prefix = '', suffix = '', ...rest] = parts
  const isFamilyFirst = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(family + given)
  const middle = isFamilyFirst ? [family, given, additional] : [given, additional, family]
  return [prefix, ...middle, suffix, ...rest].filter(Boolean).join(' ')
}
