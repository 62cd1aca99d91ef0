import { blockedUsers, type FlatMaps, parseGrantKey, parseNonceKey, type RosterRoot } from '@kith/shared'
import { isolated } from '../isolation.ts'
import { audienceGroups } from './audience-words.ts'
import { count, type Group, levelsText, quoted, valueText } from './phrases.ts'
import { hidingGroups, isHidingPresence } from './presence-words.ts'
import type { KeyChanged } from './shadow.ts'

type NameOf = (user: string) => string

/** Describes changes of a roster, removals first; `after` is the roster after them. */
export function rosterGroups(changes: readonly KeyChanged[], after: FlatMaps, nameOf: NameOf): Group[] {
  const added = changes.filter(change => change.after !== undefined)
  const removed = changes.filter(change => change.after === undefined)
  const blocked = blockedUsers(after)
  const lifted = (user: string): string => {
    return blocked.has(user) ? `${nameOf(user)}, against whom another block stands` : nameOf(user)
  }
  const named = ({ key }: KeyChanged): string => nameOf(key)
  const both = (noun: string, root: RosterRoot, removing = 'the removal of ', adding = named): Group[] => [
    ...group(removing, noun, of(removed, root, named)),
    ...group('', noun, of(added, root, adding)),
  ]
  return [
    ...grantGroups('the withdrawal of ', removed, 'from', nameOf),
    ...group(
      '',
      'block',
      of(added, 'blocks', ({ key }) => nameOf(nonced(key))),
    ),
    ...group(
      'the removal of ',
      'block',
      of(removed, 'blocks', ({ key }) => lifted(nonced(key))),
    ),
    ...audienceGroups(audienceKeys(added), audienceKeys(removed), after),
    ...hidingGroups(at(changes, 'privacy'), after),
    ...both('contact', 'contacts'),
    ...grantGroups('', added, 'to', nameOf),
    ...both('follow', 'subscriptions', 'the end of '),
    ...both('declined user', 'declined'),
    ...group(
      '',
      'confirmation',
      of(added, 'confirmed', ({ key }) => nameOf(nonced(key))),
    ),
    ...group(
      'the removal of ',
      'confirmation',
      of(removed, 'confirmed', ({ key }) => nameOf(nonced(key))),
    ),
    ...both('label', 'labels', 'the removal of ', ({ key, after }) => `${nameOf(key)}: ${quoted(String(after))}`),
    ...at(changes, 'settings').map(settingGroup),
  ]
}

function audienceKeys(changes: readonly KeyChanged[]): KeyChanged[] {
  return at(changes, 'privacy').filter(change => !isHidingPresence(change))
}

function at(changes: readonly KeyChanged[], root: RosterRoot): KeyChanged[] {
  return changes.filter(change => change.root === root)
}

function of(changes: readonly KeyChanged[], root: RosterRoot, text: (change: KeyChanged) => string): string[] {
  return at(changes, root).map(text)
}

function group(verb: string, noun: string, items: readonly string[], number: number = items.length): Group[] {
  return number === 0 ? [] : [{ title: `${verb}${count(number, noun)}`, items }]
}

/** The user after the nonce of a key; the key itself if it has no such form. */
function nonced(key: string): string {
  return parseNonceKey(key)?.name ?? key
}

/** "3 grants (levels 1, 2 and 5 to bob)". */
function grantGroups(verb: string, changes: readonly KeyChanged[], preposition: string, nameOf: NameOf): Group[] {
  const grants = at(changes, 'grants').map(({ key }) => parseGrantKey(key) ?? { user: key, level: 0 })
  const levelsByUser = new Map<string, number[]>()
  for (const { user, level } of grants) levelsByUser.set(user, [...(levelsByUser.get(user) ?? []), level])
  const items = [...levelsByUser].map(([user, levels]) => {
    return `${levelsText(levels.sort((a, b) => a - b))} ${preposition} ${nameOf(user)}`
  })
  return group(verb, 'grant', items, grants.length)
}

function settingGroup({ key, after }: KeyChanged): Group {
  if (key === 'autoSync') return { title: `automatic following: ${after === false ? 'off' : 'on'}`, items: [] }
  return { title: `setting ${isolated(key)}: ${after === undefined ? 'removed' : valueText(after)}`, items: [] }
}
