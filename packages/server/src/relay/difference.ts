import { createHash } from 'node:crypto'
import { fieldsDigestBytes, splitFields } from '@kith/shared/wire'
import type { CommittedLevels } from './committed-levels.ts'

/** The changes of a batch to a level, for a device that holds the level as it was before the batch. */
export interface Difference {
  /** Name and value of each field that is new or has another value, names ascending. */
  fields: readonly Uint8Array[]
  /** Fields that the device holds and that are gone, ascending. */
  removed: readonly string[]
  /** The digest of the whole level, as computed by `fieldsDigest`. */
  digest: Uint8Array
}

/** Whether a difference of this size is sent instead of a level of this size. */
export type Saves = (differenceBytes: number, wholeBytes: number) => boolean

/** A smaller level fits into one network packet, whatever part of it changes. */
const leastWholeBytes = 1024

/** A device must apply a difference and digest the result, so the difference must save at least half of the bytes. */
export const savesHalf: Saves = (differenceBytes, wholeBytes) =>
  wholeBytes >= leastWholeBytes && 2 * differenceBytes <= wholeBytes

/** Returns `undefined` if the whole level must be sent: its changes are not known, or the difference saves too little. */
export function differenceOf(levels: CommittedLevels, level: number, saves: Saves): Difference | undefined {
  const names = levels.names(level)
  const whole = levels.fields(level)
  if (!names || !saves(0, whole.length)) return undefined
  const present = splitFields(whole)
  const fields = [...present].filter(([name]) => names.has(name)).map(([, bytes]) => bytes)
  // A field that was added and removed within the batch was never shown to the device.
  const removed = [...names].filter(([name, wasThere]) => wasThere && !present.has(name)).map(([name]) => name)
  removed.sort()
  const bytes = [...fields, ...removed].reduce((sum, { length }) => sum + length, fieldsDigestBytes)
  if (!saves(bytes, whole.length)) return undefined
  return { fields, removed, digest: createHash('sha256').update(whole).digest().subarray(0, fieldsDigestBytes) }
}
