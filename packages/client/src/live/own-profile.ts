import { type Audience, type Fields, profileFields, rosterSettings } from '@kith/shared'
import type { FieldsOf, FieldTypes } from '../api/app-types.ts'
import type { OwnDocuments } from '../database/own-documents.ts'
import { sameFields } from '../fields.ts'

/** The own profile, the audiences of level 0 and of messages, and whether the presence is hidden. */
export interface OwnProfileState<F extends FieldTypes<F> = Fields> {
  /** All fields at each level; levels without fields are absent. */
  fields: ReadonlyMap<number, FieldsOf<F>>
  publicAudience: Audience
  messageAudience: Audience
  hidesPresence: boolean
}

export function readOwnProfile({ profile, roster }: OwnDocuments): OwnProfileState {
  const { audience, messageAudience, hidesPresence } = rosterSettings(roster.view)
  return { fields: profileFields(profile.view), publicAudience: audience, messageAudience, hidesPresence }
}

export function sameOwnProfile(a: OwnProfileState, b: OwnProfileState): boolean {
  if (a.publicAudience !== b.publicAudience || a.messageAudience !== b.messageAudience) return false
  if (a.hidesPresence !== b.hidesPresence) return false
  if (a.fields.size !== b.fields.size) return false
  return [...a.fields].every(([level, fields]) => {
    const others = b.fields.get(level)
    return others !== undefined && sameFields(fields, others)
  })
}
