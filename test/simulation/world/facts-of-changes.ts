import type { KeyChange } from '@kith/shared'
import type { FactChanges, Facts } from '../model/edits.ts'

const factOfRoot: Readonly<Record<string, string>> = {
  contacts: 'contact',
  subscriptions: 'follow',
  declined: 'declined',
  labels: 'label',
}

/** A client's changes as facts of the model. `after`: the facts once the changes are written. */
export function factsOfChanges(changes: readonly KeyChange[], after: Facts): FactChanges {
  const facts = new Map<string, unknown>()
  for (const { root, key, value } of changes) {
    const [first, ...rest] = key.split('/')
    const last = rest.at(-1)
    if (root === 'grants') facts.set(`grant ${first} ${last}`, value)
    else if (root === 'confirmed') facts.set(`confirmed ${first} ${last}`, value)
    else if (root === 'blocks') facts.set(`block ${last}`, value)
    else if (root === 'privacy' && last === 'hidePresence') facts.set('hidden', value)
    else if (root === 'privacy') facts.set('audience', after.get('audience') ?? 'everyone')
    else if (root === 'settings') facts.set(key, value)
    // A set removes the keys of other devices for the field.
    else if (root === 'fields') facts.set(`field ${first} ${last}`, value ?? facts.get(`field ${first} ${last}`))
    else facts.set(`${factOfRoot[root]} ${key}`, value)
  }
  return facts
}

/** All values that the changes put of each field. */
export function fieldsOfChanges(changes: readonly KeyChange[]): ReadonlyMap<string, readonly unknown[]> {
  const fields = new Map<string, unknown[]>()
  for (const { root, key, value } of changes) {
    if (root !== 'fields' || value === undefined) continue
    const [level, ...rest] = key.split('/')
    const name = `field ${level} ${rest.at(-1)}`
    fields.set(name, [...(fields.get(name) ?? []), value])
  }
  return fields
}

/** The narrowest audience that the changes put. An entry that was made again may hold the keys of several edits. */
export function audienceOf(changes: readonly KeyChange[]): string | undefined {
  const put = changes.filter(({ root, value }) => root === 'privacy' && value !== undefined)
  const names = put.map(({ key }) => key.split('/').at(-1))
  if (names.includes('nobody')) return 'nobody'
  return names.includes('contactsOnly') ? 'contacts' : undefined
}

export function sameChanges(a: FactChanges, b: FactChanges): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.has(name) && b.get(name) === value)
}

export function changesText(changes: FactChanges): string {
  return [...changes].map(([name, value]) => `${name}: ${String(value ?? 'dropped')}`).join(', ') || 'nothing'
}
