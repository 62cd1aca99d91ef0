import {
  type ContentLimits,
  exceedsRelations,
  type FlatMaps,
  isNarrowing,
  type KeyChange,
  KithError,
  parseProfileKey,
  profileBytes,
  rosterEntryBytes,
  utf8Length,
  valueBytes,
} from '@kith/shared'
import type { DocumentName } from './name.ts'
import { overlay } from './overlay.ts'

/**
 * Checks limits before a change is made [D5][S3]. Changes that only remove always pass, and so does the private side: blocks,
 * declined users, narrower privacy [R4]. Throws a KithError.
 */
export function checkLimits(
  document: DocumentName,
  standing: FlatMaps,
  changes: readonly KeyChange[],
  limits: ContentLimits,
  rosterBytes: (limit: number) => number,
): void {
  const additions = changes.filter(change => change.value !== undefined)
  if (additions.length === 0) return
  if (document === 'roster') {
    if (exceedsRelations(standing, changes, limits.relations)) {
      throw new KithError('too-many-relations', `A roster names at most ${limits.relations} people: remove contacts`)
    }
    checkRoster(standing, additions, limits, rosterBytes)
  } else checkProfile(standing, changes, additions, limits)
}

function checkRoster(
  standing: FlatMaps,
  additions: readonly KeyChange[],
  limits: ContentLimits,
  rosterBytes: (limit: number) => number,
): void {
  let growth = 0
  for (const addition of additions) {
    const { root, key, value = '' } = addition
    if (root === 'labels' && valueBytes(value) > limits.labelBytes) {
      throw new KithError('label-too-long', `A label takes at most ${limits.labelBytes} bytes: shorten it`, {
        addresses: [key],
      })
    }
    const old = standing.get(root, key)
    const oldBytes = old === undefined ? 0 : rosterEntryBytes(root, key, old)
    if (!isNarrowing(addition)) growth += Math.max(0, rosterEntryBytes(root, key, value) - oldBytes)
  }
  if (growth > 0 && rosterBytes(limits.rosterBytes) + growth > limits.rosterBytes) {
    throw new KithError('roster-too-large', `A roster takes at most ${limits.rosterBytes} bytes: remove contacts`)
  }
}

function checkProfile(
  standing: FlatMaps,
  changes: readonly KeyChange[],
  additions: readonly KeyChange[],
  limits: ContentLimits,
): void {
  for (const { key } of additions) {
    if (utf8Length(parseProfileKey(key)?.name ?? '') > limits.fieldNameBytes) {
      throw new KithError(
        'field-name-too-long',
        `A field's name takes at most ${limits.fieldNameBytes} bytes: shorten it`,
      )
    }
  }
  const before = profileBytes(standing)
  const after = profileBytes(overlay(standing, changes))
  for (const [level, bytes] of after) {
    if (bytes > limits.profileBytes && bytes > (before.get(level) ?? 0)) {
      throw new KithError(
        'profile-too-large',
        `Level ${level} takes at most ${limits.profileBytes} bytes: shorten or remove fields`,
      )
    }
  }
  if (after.size > limits.profileLevels && after.size > before.size) {
    throw new KithError('too-many-levels', `At most ${limits.profileLevels} levels of a profile have fields: use fewer`)
  }
}
