import { flatMapsOf, type Limits, profileBytes, retiredOf, rosterBytes } from '@kith/shared'
import * as Y from 'yjs'
import { mostHistoryBytes } from '../admission/size-limits.ts'
import type { DocumentName } from '../relations/records.ts'
import { oldDeclinedBytes } from './declined.ts'
import { bytesPerStruct } from './document-weight.ts'
import type { StoredDocument } from './stored-document.ts'

/** The history must weigh this many times as much as the content. */
const outweighing = 4
/**
 * The fraction of `refoundBytes` that declined users must take before a refounding forgets some of them or records their day.
 */
const declinedShare = 1 / 4
/** The fraction of the content, so that a large roster is not refounded for a small part of it. */
const declinedShareOfContent = 1 / 8

/** Whether a document must be refounded. `lapsingDay`: the day by which declined users lapse. */
export function isDue(name: DocumentName, document: StoredDocument, limits: Limits, lapsingDay: number): boolean {
  const declinedBytes = declinedShare * limits.refoundBytes
  const least = name === 'roster' ? declinedBytes : limits.refoundBytes
  // The upper bound is checked first, and the document itself only rarely, because that costs time in proportion to its size.
  if (document.weight < Math.max(least, document.looksAgainAt)) return false
  document.looksAgainAt = document.weight + document.weight / 8
  if (isOutweighed(name, document, limits)) return true
  if (name === 'profile') return false
  const oldBytes = oldDeclinedBytes(document.doc, lapsingDay)
  return oldBytes > 0 && oldBytes >= Math.max(declinedBytes, declinedShareOfContent * contentBytes(name, document.doc))
}

/**
 * Whether the structs that Yjs keeps for removed and overwritten entries are worth removing. That is so if they outweigh the
 * content. It is also so if they weigh as much as the content and the document comes near the safety bound: above that bound,
 * the document would be refused although its content is within the limits.
 */
function isOutweighed(name: DocumentName, { doc, structs, weight }: StoredDocument, limits: Limits): boolean {
  if (weight < limits.refoundBytes) return false
  const content = contentBytes(name, doc)
  const bytes = Math.max(Y.encodeStateAsUpdateV2(doc).length, bytesPerStruct * structs)
  const history = bytes - content
  if (history < limits.refoundBytes) return false
  const most = mostHistoryBytes(name, 'content', limits)
  // The largest content alone reaches half of the bound, so a history of a quarter is enough.
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
