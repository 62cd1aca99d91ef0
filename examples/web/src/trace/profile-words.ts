import { type Fields, type FieldValue, sameValue } from '@kith/shared'
import { isolated } from '../isolation.ts'
import { count, type Group, valueText } from './phrases.ts'

type Levels = ReadonlyMap<number, Fields>

/** The changes in a user's own profile, in words, and the new values, one per line. */
export function profileGroups(before: Levels, after: Levels): { groups: Group[]; values: string[] } {
  const set: string[] = []
  const unset: string[] = []
  const values: string[] = []
  for (const level of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [new Map(entries(before, level)), new Map(entries(after, level))]
    for (const [name, value] of now) {
      if (sameValue(old.get(name), value)) continue
      set.push(`${isolated(name)} at level ${level}`)
      values.push(`${isolated(name)} at level ${level}: ${valueText(value)}`)
    }
    for (const name of old.keys()) if (!now.has(name)) unset.push(`${isolated(name)} at level ${level}`)
  }
  return {
    groups: [
      ...(unset.length > 0 ? [{ title: `the removal of ${count(unset.length, 'field')}`, items: unset }] : []),
      ...(set.length > 0 ? [{ title: count(set.length, 'field'), items: set }] : []),
    ],
    values,
  }
}

function entries(levels: Levels, level: number): [string, FieldValue][] {
  return Object.entries(levels.get(level) ?? {})
}
