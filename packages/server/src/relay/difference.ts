import { createHash } from 'node:crypto'
import { fieldsDigestBytes, splitFields } from '@kith/shared/wire'
import type { CommittedLevels } from './committed-levels.ts'

/** What a batch changed of a level, for a device that holds the level as it was before the batch. */
export interface Difference {
  /** Name and value of each field that is new or has another value, names ascending. */
  fields: readonly Uint8Array[]
  /** Fields that the device holds and that are gone, ascending. */
  removed: readonly string[]
  /** Of the whole level, as `fieldsDigest` has it. */
  digest: Uint8Array
}

/** Whether a difference of so many bytes goes out in place of a level of so many. */
export type Saves = (differenceBytes: number, wholeBytes: number) => boolean

/** A level below this fits into one packet of the network, whatever changes of it. */
const leastWholeBytes = 1024

/** A device applies a difference and digests the result, so half of the bytes must be saved. */
export const savesHalf: Saves = (differenceBytes, wholeBytes) =>
  wholeBytes >= leastWholeBytes && 2 * differenceBytes <= wholeBytes

/** `undefined` where the whole level goes out: it is not known what changed of it, or too little is saved. */
export function differenceOf(levels: CommittedLevels, level: number, saves: Saves): Difference | undefined {
  const names = levels.names(level)
  const whole = levels.fields(level)
  if (!names || !saves(0, whole.length)) return undefined
  const present = splitFields(whole)
  const fields = [...present].filter(([name]) => names.has(name)).map(([, bytes]) => bytes)
  // A field that came and went within the batch was never shown to the device.
  const removed = [...names].filter(([name, wasThere]) => wasThere && !present.has(name)).map(([name]) => name)
  removed.sort()
  const bytes = [...fields, ...removed].reduce((sum, { length }) => sum + length, fieldsDigestBytes)
  if (!saves(bytes, whole.length)) return undefined
  return { fields, removed, digest: createHash('sha256').update(whole).digest().subarray(0, fieldsDigestBytes) }
}
