import { type Audience, type Fields, profileFields, rosterSettings } from '@kith/shared'
import { sameFields } from '../fields.ts'
import type { OwnDocuments } from '../storage/own-documents.ts'

/** The own profile, and who sees its level 0. */
export interface OwnProfileState {
  /** All fields at each level; levels without any are absent. */
  fields: ReadonlyMap<number, Fields>
  publicAudience: Audience
}

export function readOwnProfile({ profile, roster }: OwnDocuments): OwnProfileState {
  return { fields: profileFields(profile.view), publicAudience: rosterSettings(roster.view).audience }
}

export function sameOwnProfile(a: OwnProfileState, b: OwnProfileState): boolean {
  if (a.publicAudience !== b.publicAudience || a.fields.size !== b.fields.size) return false
  return [...a.fields].every(([level, fields]) => {
    const others = b.fields.get(level)
    return others !== undefined && sameFields(fields, others)
  })
}
