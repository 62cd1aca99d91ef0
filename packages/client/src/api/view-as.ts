import {
  countingFacts,
  type Fields,
  factsOf,
  mergeLevels,
  profileFields,
  rosterSettings,
  type VisibilityReason,
  visibility,
} from '@kith/shared'
import type { OwnDocuments } from '../database/own-documents.ts'
import { sameFields } from '../fields.ts'
import type { FieldsOf, FieldTypes } from './app-types.ts'

/** What a user sees of the own profile, and why. */
export interface ViewAs<F extends FieldTypes<F> = Fields> {
  /** In ascending order; empty when the user sees nothing. For the own user id: 0 and all levels with fields. */
  levels: readonly number[]
  /** If a field has values at several levels, the value of the highest level. */
  fields: FieldsOf<F>
  /** The rule that decides. A device does not know the reasons `restricted` and `unknown-user`. */
  reason: VisibilityReason
}

/**
 * Applies the server's rules [V1][V3] to the data on this device. Changes that the server refused do not count, since no other
 * user sees them.
 */
export function viewAs({ roster, profile, hands }: OwnDocuments, owner: string, viewer: string): ViewAs {
  const facts = countingFacts(factsOf(roster.standing, viewer), hands.get(viewer)?.incarnation ?? '')
  const { levels, reason } = visibility({
    isSelf: viewer === owner,
    areRegistered: true,
    ownerBlocks: facts.isBlocked,
    viewerBlocks: false,
    isRestricted: false,
    isPaired: false,
    audience: rosterSettings(roster.standing).audience,
    isContact: facts.isContact,
    grants: facts.levels,
  })
  const all = profileFields(profile.standing)
  const seen = reason === 'self' ? [...new Set([0, ...all.keys()])].sort((a, b) => a - b) : levels
  const fields = mergeLevels(new Map([...all].filter(([level]) => seen.includes(level))))
  return { levels: seen, fields, reason }
}

export function sameView(a: ViewAs, b: ViewAs): boolean {
  return a.reason === b.reason && a.levels.join() === b.levels.join() && sameFields(a.fields, b.fields)
}
