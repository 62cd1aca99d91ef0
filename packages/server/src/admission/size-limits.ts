import { type ErrorCode, fieldOverheadBytes, flatMapsOf, type Limits, profileBytes, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import type { StoredDocument } from '../documents/stored-document.ts'
import type { DocumentName } from '../relations/records.ts'
import { rosterGrowth } from './roster-growth.ts'
import type { Additions } from './verdict.ts'

/**
 * The sizes that a document may have [S3], checked before an update that adds something is applied. Live content is limited;
 * the history that Yjs keeps of what was removed has a far larger bound, for safety. The private side is limited by neither
 * [R4]. The cheap bound comes first; only near the limit is the real size looked at.
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

/** With its history a document has room for at least this many times its live content. */
const leastHistoryShare = 2
/**
 * What is added to the private side has this much more room with the history. No one fills it by hand: it holds 200,000 blocks
 * at least. Without any end it would let one user fill the memory of all.
 */
const privateReserve = 1.5

/** How large a document may be with its history: the safety bound, which no content comes near. */
export function mostHistoryBytes(
  name: DocumentName,
  adds: Additions,
  { historyBytes, rosterBytes, profileBytes, profileLevels }: Limits,
): number {
  const content = name === 'roster' ? rosterBytes : Math.max(rosterBytes, profileBytes * profileLevels)
  const most = Math.max(historyBytes, leastHistoryShare * content)
  return adds === 'narrowing' ? privateReserve * most : most
}

/** On disk there is a log besides the document, so what seems too long is looked at more closely. */
function isTooLong({ doc, storedBytes, structs }: StoredDocument, update: Uint8Array, most: number): boolean {
  if (minStructBytes * structs + update.length > most) return true
  if (storedBytes + update.length <= most) return false
  return Y.encodeStateAsUpdateV2(doc).length + update.length > most
}

/**
 * The size of one struct in the `updateV1` encoding, at least and at most, without its texts and values. The stored encoding
 * is `updateV2`, which may encode a hundred thousand removed entries in a hundred bytes; in memory each of them exists.
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
    // The private side may have grown, which is not counted.
    document.contentBytesAtMost = undefined
    return undefined
  }
  const known = document.contentBytesAtMost
  // The stored encoding is `updateV2`, which has every text and value; what it spares on a struct is bounded.
  const atMost = document.storedBytes + maxStructBytes * document.structs + update.length
  if (known === undefined && atMost <= limits.rosterBytes) return undefined
  const growth = rosterGrowth(document.doc, update)
  const isSure = known !== undefined && known + growth.wideningBytes <= limits.rosterBytes
  const bytes = isSure ? known : rosterBytes(flatMapsOf(document.doc))
  if (growth.wideningBytes > 0 && bytes + growth.wideningBytes > limits.rosterBytes) return 'roster-too-large'
  document.contentBytesAtMost = bytes + growth.bytes
  return undefined
}

/** A number counts 8 bytes, and may take 2 of an update. */
const numberBytes = 8

function profileSizeError(document: StoredDocument, update: Uint8Array, limits: Limits): ErrorCode | undefined {
  const before = profileBytes(flatMapsOf(document.doc))
  // An entry that replaces one that was removed names neither key nor level: it brings back a field in 5 bytes.
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
