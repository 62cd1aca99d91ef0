import {
  contactFacts,
  flatMapsOf,
  parseProfileKey,
  profileFields,
  profileRoot,
  type RosterRoot,
  rosterSettings,
  userOfKey,
} from '@kith/shared'
import { encodeFields } from '@kith/shared/wire'
import type { DocumentsChange } from '../store/store.ts'
import type { Applied, StoredDocument } from '../store/stored-document.ts'

/** What was admitted of a run of writes to one document. */
export interface Admitted {
  document: StoredDocument
  /** `undefined` when nothing changed. */
  applied: Applied | undefined
  /** A document that the device was asked for was admitted, if only an empty one [F3]. */
  isAnswered: boolean
}

/** What the roster now says of those whom the run touched, for the store. */
export function rosterChange(roster: Admitted | undefined): Pick<DocumentsChange, 'roster'> {
  if (!roster?.applied) return {}
  const { applied, document } = roster
  const view = flatMapsOf(document.doc)
  const users = new Set<string>()
  for (const [root, keys] of applied.keys) {
    if (root === 'labels') continue
    for (const key of keys) {
      const user = userOfKey(root as RosterRoot, key)
      if (user !== undefined) users.add(user)
    }
  }
  return { roster: { ...applied.stored, facts: contactFacts(view, users), settings: rosterSettings(view) } }
}

/** The levels that the run changed, as viewers get them, for the store. */
export function profileChange(profile: Admitted | undefined): Pick<DocumentsChange, 'profile'> {
  if (!profile?.applied) return {}
  const { applied, document } = profile
  const fields = profileFields(flatMapsOf(document.doc))
  const levels = new Map<number, Uint8Array>()
  for (const key of applied.keys.get(profileRoot) ?? []) {
    const level = parseProfileKey(key)?.level
    if (level !== undefined && !levels.has(level)) levels.set(level, encodeFields(fields.get(level) ?? {}))
  }
  return { profile: { ...applied.stored, levels } }
}
