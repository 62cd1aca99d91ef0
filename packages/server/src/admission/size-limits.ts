import { type ErrorCode, flatMapsOf, type Limits, profileBytes, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentName } from '../store/keys.ts'
import type { StoredDocument } from '../store/stored-document.ts'
import { rosterGrowth } from './roster-growth.ts'

/**
 * The sizes that a document may have (S3), checked before an update that adds something is applied. The cheap bound comes
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
  { doc, storedBytes }: StoredDocument,
  update: Uint8Array,
  { rosterBytes, profileBytes, profileLevels }: Limits,
): boolean {
  const content = name === 'roster' ? rosterBytes : Math.max(rosterBytes, profileBytes * profileLevels)
  const most = historyShare * content
  if (storedBytes + update.length <= most) return false
  return Y.encodeStateAsUpdateV2(doc).length + update.length > most
}

function rosterSizeError(
  document: StoredDocument,
  update: Uint8Array,
  adds: 'content' | 'history',
  limits: Limits,
): ErrorCode | undefined {
  if (adds === 'history') return undefined
  const known = document.contentBytesAtMost
  // What is stored is V2, which is at least half as large as V1, and that is no smaller than the content.
  if (known === undefined && 2 * document.storedBytes + update.length <= limits.rosterBytes) return undefined
  const growth = rosterGrowth(document.doc, update)
  const isSure = known !== undefined && known + growth <= limits.rosterBytes
  const bytes = isSure ? known : rosterBytes(flatMapsOf(document.doc))
  if (growth > 0 && bytes + growth > limits.rosterBytes) return 'roster-too-large'
  document.contentBytesAtMost = bytes + growth
  return undefined
}

function profileSizeError(document: StoredDocument, update: Uint8Array, limits: Limits): ErrorCode | undefined {
  const before = profileBytes(flatMapsOf(document.doc))
  // A field at a level of its own takes more than 12 bytes of update.
  const isFarBelow =
    Math.max(0, ...before.values()) + update.length <= limits.profileBytes &&
    before.size + update.length / 12 <= limits.profileLevels
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
