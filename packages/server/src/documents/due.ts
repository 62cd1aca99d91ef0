import { flatMapsOf, type Limits, profileBytes, retiredOf, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import { mostHistoryBytes } from '../admission/size-limits.ts'
import type { DocumentName } from '../relations/records.ts'
import { oldDeclinedBytes } from './declined.ts'
import { bytesPerStruct } from './document-weight.ts'
import type { StoredDocument } from './stored-document.ts'

/** The history weighs so many times what the content does. */
const outweighing = 4
/** Of `refoundBytes`: users whom a roster declined and of whom a refounding forgets some, or notes the day, take so much. */
const declinedShare = 1 / 4
/** Of the content, so that a large roster is not refounded for a small part of it. */
const declinedShareOfContent = 1 / 8

/** Whether a document is to be refounded. `today`: whole days since 1970. */
export function isDue(name: DocumentName, document: StoredDocument, limits: Limits, today: number): boolean {
  const declinedBytes = declinedShare * limits.refoundBytes
  const least = name === 'roster' ? declinedBytes : limits.refoundBytes
  // An upper bound first, and then seldom: the look itself costs as much as the document is large.
  if (document.weight < Math.max(least, document.looksAgainAt)) return false
  document.looksAgainAt = document.weight + document.weight / 8
  if (isOutweighed(name, document, limits)) return true
  if (name === 'profile') return false
  const oldBytes = oldDeclinedBytes(document.doc, today)
  return oldBytes > 0 && oldBytes >= Math.max(declinedBytes, declinedShareOfContent * contentBytes(name, document.doc))
}

/**
 * Whether what Yjs keeps of removed and overwritten entries is worth getting rid of: it outweighs the content, or it weighs as
 * much and the document comes near the bound for safety, beyond which it would be refused what it has room for.
 */
function isOutweighed(name: DocumentName, { doc, structs, weight }: StoredDocument, limits: Limits): boolean {
  if (weight < limits.refoundBytes) return false
  const content = contentBytes(name, doc)
  const bytes = Math.max(Y.encodeStateAsUpdateV2(doc).length, bytesPerStruct * structs)
  const history = bytes - content
  if (history < limits.refoundBytes) return false
  const most = mostHistoryBytes(name, 'content', limits)
  // With the largest content half of the bound is reached by content alone: a history of a quarter is enough.
  return history >= outweighing * content || (bytes >= most / 2 && history >= Math.min(content, most / 4))
}

function contentBytes(name: DocumentName, doc: Y.Doc): number {
  const maps = flatMapsOf(doc)
  let bytes = 0
  if (name === 'roster') bytes = rosterBytes(maps)
  else for (const level of profileBytes(maps).values()) bytes += level
  return bytes + bytesPerRetired * retiredOf(doc).size
}

const bytesPerRetired = 32
