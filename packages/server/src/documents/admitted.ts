import {
  contactFacts,
  flatMapsOf,
  parseProfileKey,
  profileFields,
  profileRoot,
  type RosterRoot,
  retiredRoot,
  rosterSettings,
  userOfKey,
} from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import type { DocumentsChange } from '../relations/changes.ts'
import type { Applied, StoredDocument } from './stored-document.ts'

/** Returns, for the store, what the roster now says about the users that a run of updates touched. */
export function rosterChange({ doc }: StoredDocument, applied: Applied): Pick<DocumentsChange, 'roster'> {
  const view = flatMapsOf(doc)
  const users = new Set<string>()
  for (const [root, keys] of applied.keys) {
    if (root === 'labels' || root === retiredRoot) continue
    for (const key of keys) {
      const user = userOfKey(root as RosterRoot, key)
      if (user !== undefined) users.add(user)
    }
  }
  return { roster: { ...applied.stored, facts: contactFacts(view, users), settings: rosterSettings(view) } }
}

/** Returns, for the store, the levels that a run of updates changed, in the form that viewers get. */
export function profileChange({ doc }: StoredDocument, applied: Applied): Pick<DocumentsChange, 'profile'> {
  const fields = profileFields(flatMapsOf(doc))
  const levels = new Map<number, Uint8Array>()
  for (const key of applied.keys.get(profileRoot) ?? []) {
    const level = parseProfileKey(key)?.level
    if (level !== undefined && !levels.has(level)) levels.set(level, encodeFields(fields.get(level) ?? {}))
  }
  return { profile: { ...applied.stored, levels } }
}
