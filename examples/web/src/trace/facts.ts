import { type Fields, parseGrantKey, parseNonceKey, sameValue } from '@kith/shared'
import type { KeyChanged } from './shadow.ts'

/** One fact of a change, for plain words and for the path of the change. */
export interface Fact {
  is: 'field' | 'circle' | 'contact' | 'block' | 'follow' | 'label' | 'setting'
  /** The person that it is about; absent for fields and settings. */
  person?: string
  /** The level of a field or a circle. */
  level?: number
  /** The name of a field. */
  name?: string
  isGone: boolean
}

export function rosterFacts(changes: readonly KeyChanged[]): Fact[] {
  return changes.flatMap(({ root, key, after }): Fact[] => {
    const isGone = after === undefined
    switch (root) {
      case 'grants': {
        const grant = parseGrantKey(key)
        return grant ? [{ is: 'circle', person: grant.user, level: grant.level, isGone }] : []
      }
      case 'contacts':
        return [{ is: 'contact', person: key, isGone }]
      case 'blocks':
        return [{ is: 'block', person: parseNonceKey(key)?.name ?? key, isGone }]
      case 'subscriptions':
        return [{ is: 'follow', person: key, isGone }]
      case 'labels':
        return [{ is: 'label', person: key, isGone }]
      case 'privacy':
      case 'settings':
        return [{ is: 'setting', isGone }]
      default:
        return []
    }
  })
}

export function profileFacts(before: ReadonlyMap<number, Fields>, after: ReadonlyMap<number, Fields>): Fact[] {
  const facts: Fact[] = []
  for (const level of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(level) ?? {}, after.get(level) ?? {}]
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      if (!sameValue(old[name], now[name])) facts.push({ is: 'field', level, name, isGone: now[name] === undefined })
    }
  }
  return facts
}
