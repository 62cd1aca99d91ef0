import { type ErrorCode, fieldOverheadBytes, flatMapsOf, type Limits, profileBytes, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import type { StoredDocument } from '../documents/stored-document.ts'
import type { DocumentName } from '../relations/records.ts'
import { rosterGrowth } from './roster-growth.ts'

/**
 * The sizes that a document may have [S3], checked before an update that adds something is applied. The cheap bound comes
 * first; only near the limit is the real size looked at.
 */
export function sizeError(
  name: DocumentName,
  document: StoredDocument,
  update: Uint8Array,
  adds: 'content' | 'history' | 'nothing',
  limits: Limits,
): ErrorCode | undefined {
  if (adds === 'nothing') return undefined
  const isLong = isTooLong(name, document, update, limits)
  if (name === 'roster') return isLong ? 'roster-too-large' : rosterSizeError(document, update, adds, limits)
  return isLong ? 'profile-too-large' : profileSizeError(document, update, limits)
}

/**
 * Names of what was removed stay in a Yjs document. With them it may take this many times the limit of a roster on disk, or
 * of a whole profile, where that is larger.
 */
const historyShare = 2

/** On disk there is a log besides the document, so what seems too long is looked at more closely. */
function isTooLong(
  name: DocumentName,
  { doc, storedBytes, structs }: StoredDocument,
  update: Uint8Array,
  { rosterBytes, profileBytes, profileLevels }: Limits,
): boolean {
  const content = name === 'roster' ? rosterBytes : Math.max(rosterBytes, profileBytes * profileLevels)
  const most = historyShare * content
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
  adds: 'content' | 'history',
  limits: Limits,
): ErrorCode | undefined {
  if (adds === 'history') return undefined
  const known = document.contentBytesAtMost
  // The stored encoding is `updateV2`, which has every text and value; what it spares on a struct is bounded.
  const atMost = document.storedBytes + maxStructBytes * document.structs + update.length
  if (known === undefined && atMost <= limits.rosterBytes) return undefined
  const growth = rosterGrowth(document.doc, update)
  const isSure = known !== undefined && known + growth <= limits.rosterBytes
  const bytes = isSure ? known : rosterBytes(flatMapsOf(document.doc))
  if (growth > 0 && bytes + growth > limits.rosterBytes) return 'roster-too-large'
  document.contentBytesAtMost = bytes + growth
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
