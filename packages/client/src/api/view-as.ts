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

/** What somebody sees of the own profile, and why. */
export interface ViewAs {
  /** Ascending; empty when nothing is seen. For oneself 0 and all levels with fields. */
  levels: readonly number[]
  /** If a field stands at several levels, the highest level's value. */
  fields: Fields
  /** Of the shared rules' reasons; `restricted` and `unknown-user` are not known here. */
  reason: VisibilityReason
}

/**
 * Decided by the rules that the server goes by [V1][V3], on what this device knows. What the server refused doesn't count:
 * nobody sees it.
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
