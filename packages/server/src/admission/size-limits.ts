import { type ErrorCode, fieldOverheadBytes, flatMapsOf, type Limits, profileBytes, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import type { StoredDocument } from '../documents/stored-document.ts'
import type { DocumentName } from '../relations/records.ts'
import { rosterGrowth } from './roster-growth.ts'
import type { Additions } from './verdict.ts'

/**
 * The size limits of a document [S3], checked before an update that adds something is applied. The limits apply to live
 * content. The history that Yjs keeps of removed content has a much higher bound, for safety. The private side has neither
 * limit [R4]. A cheap upper bound is checked first; the real size is determined only near the limit.
 */
export function sizeError(
  name: DocumentName,
  document: StoredDocument,
  update: Uint8Array,
  adds: Additions,
  limits: Limits,
): ErrorCode | undefined {
  if (adds === 'nothing') return undefined
  const isLong = isTooLong(document, update, mostHistoryBytes(name, adds, limits))
  if (name === 'roster') return isLong ? 'roster-too-large' : rosterSizeError(document, update, adds, limits)
  return isLong ? 'profile-too-large' : profileSizeError(document, update, limits)
}

/** Including its history, a document has room for at least this many times its live content. */
const leastHistoryShare = 2
/**
 * Additions to the private side have this much more room in the history. That is at least 200,000 blocks, more than a person
 * adds by hand. Without a bound, one user could fill the memory of all.
 */
const privateReserve = 1.5

/** The largest size of a document including its history. This is the safety bound, which no content comes near. */
export function mostHistoryBytes(
  name: DocumentName,
  adds: Additions,
  { historyBytes, rosterBytes, profileBytes, profileLevels }: Limits,
): number {
  const content = name === 'roster' ? rosterBytes : Math.max(rosterBytes, profileBytes * profileLevels)
  const most = Math.max(historyBytes, leastHistoryShare * content)
  return adds === 'narrowing' ? privateReserve * most : most
}

/** On disk there is a log in addition to the document, so a document that seems too long is measured exactly. */
function isTooLong({ doc, storedBytes, structs }: StoredDocument, update: Uint8Array, most: number): boolean {
  if (minStructBytes * structs + update.length > most) return true
  if (storedBytes + update.length <= most) return false
  return Y.encodeStateAsUpdateV2(doc).length + update.length > most
}

/**
 * The smallest and largest size of one struct in the `updateV1` encoding, without its texts and values. The stored encoding is
 * `updateV2`, which may encode a hundred thousand removed entries in a hundred bytes. In memory each of them exists.
 */
const minStructBytes = 10
const maxStructBytes = 32

function rosterSizeError(
  document: StoredDocument,
  update: Uint8Array,
  adds: Additions,
  limits: Limits,
): ErrorCode | undefined {
  if (adds !== 'content') {
    // The private side, which is not counted, may have grown.
    document.contentBytesAtMost = undefined
    return undefined
  }
  const known = document.contentBytesAtMost
  // The stored encoding is `updateV2`, which contains every text and value. Its saving per struct is bounded.
  const atMost = document.storedBytes + maxStructBytes * document.structs + update.length
  if (known === undefined && atMost <= limits.rosterBytes) return undefined
  const growth = rosterGrowth(document.doc, update)
  const isSure = known !== undefined && known + growth.wideningBytes <= limits.rosterBytes
  const bytes = isSure ? known : rosterBytes(flatMapsOf(document.doc))
  if (growth.wideningBytes > 0 && bytes + growth.wideningBytes > limits.rosterBytes) return 'roster-too-large'
  document.contentBytesAtMost = bytes + growth.bytes
  return undefined
}

/** A number counts 8 bytes, and may take only 2 bytes of an update. */
const numberBytes = 8

function profileSizeError(document: StoredDocument, update: Uint8Array, limits: Limits): ErrorCode | undefined {
  const before = profileBytes(flatMapsOf(document.doc))
  // An entry that replaces a removed one contains neither key nor level: it restores a field in 5 bytes.
  const fields = Y.decodeUpdate(update).structs.length
  const addedBytes = update.length + fields * (fieldOverheadBytes + limits.fieldNameBytes + numberBytes)
  const isFarBelow =
    Math.max(0, ...before.values()) + addedBytes <= limits.profileBytes && before.size + fields <= limits.profileLevels
  if (isFarBelow) return undefined
  const trial = new Y.Doc({ gc: true })
  Y.applyUpdate(trial, Y.encodeStateAsUpdate(document.doc))
  Y.applyUpdate(trial, update)
  const after = profileBytes(flatMapsOf(trial))
  trial.destroy()
  for (const [level, bytes] of after) {
    if (bytes > limits.profileBytes && bytes > (before.get(level) ?? 0)) return 'profile-too-large'
  }
  return after.size > limits.profileLevels && after.size > before.size ? 'too-many-levels' : undefined
}
