import type { FieldValue } from '@kith/shared'
import { isolated } from '../isolation.ts'

/** Several changes of one kind that happened together: "3 grants (level 5 to bob, level 2 to carol, …)". */
export interface Group {
  /** "3 grants". */
  title: string
  items: readonly string[]
}

const itemsInSentence = 3
const itemsInDetail = 100

/** All groups in one phrase; empty if there are none. */
export function phrase(groups: readonly Group[]): string {
  return groups.map(({ title, items }) => (items.length > 0 ? `${title} (${few(items)})` : title)).join(', ')
}

/** The groups that the phrase shortened. */
export function details(groups: readonly Group[]): string[] {
  return groups.flatMap(({ title, items }) => {
    if (items.length <= itemsInSentence) return []
    const rest = items.length - itemsInDetail
    return [`${title}:`, ...items.slice(0, itemsInDetail), ...(rest > 0 ? [`and ${rest} more`] : [])]
  })
}

/** The first few, and an ellipsis if there are more. */
export function few(items: readonly string[]): string {
  return [...items.slice(0, itemsInSentence), ...(items.length > itemsInSentence ? ['…'] : [])].join(', ')
}

/** "1 grant", "3 grants". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** "a, b and c". */
function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

/** "level 5", "levels 0 and 5". */
export function levelsText(levels: readonly number[]): string {
  return `${levels.length === 1 ? 'level' : 'levels'} ${list(levels.map(String))}`
}

/** In quotation marks, and shortened. */
export function quoted(text: string): string {
  const characters = [...text]
  return `“${isolated(characters.length > 60 ? `${characters.slice(0, 60).join('')}…` : text)}”`
}

export function valueText(value: FieldValue): string {
  if (typeof value === 'string') return quoted(value)
  return value instanceof Uint8Array ? count(value.length, 'byte') : String(value)
}

/** "2 s", "3 min", "5 h". */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`
}
