import { type ErrorCode, type FlatMaps, type KeyChange, sameValue } from '@kith/shared'
import type { Randomness } from '../clock.ts'
import { decodeChanges, encodeChanges } from '../documents/changes-codec.ts'
import { checkLimits } from '../documents/content-limits.ts'
import { keyName, unitsOf } from '../documents/lost.ts'
import { type DocumentName, documentNames } from '../documents/name.ts'
import { mayComeBack } from '../documents/removed-keys.ts'
import { roomOf } from '../documents/room.ts'
import { isOriginalThere, type SaidAgain } from '../documents/said-again.ts'
import { newRemakingClientId } from '../nonce.ts'
import { partsOfSaid, placeOf } from './ahead.ts'
import { asFailure } from './failure.ts'
import { writeMeta } from './meta.ts'
import type { OwnDocuments } from './own-documents.ts'
import type { OutboxRow } from './schema.ts'
import { seenBy } from './seen.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** The properties of an outbox entry besides its change. */
type Marks = Pick<OutboxRow, 'seq' | 'isRemade' | 'reported'>

/** Returns the changes of each document, based on the documents at that moment. */
type Plan = (documents: OwnDocuments) => Partial<Record<DocumentName, readonly KeyChange[]>>

/** Work in the transaction of a change, before the change is made. */
type Also = (work: Work, changes: readonly KeyChange[]) => Promise<void>

/** Plans a change of one document, based on the document at that moment, and writes it as {@link editAll} does. */
export function edit(
  store: Store,
  document: DocumentName,
  plan: (view: FlatMaps) => readonly KeyChange[],
  also?: Also,
): Promise<void> {
  return editAll(store, documents => ({ [document]: plan(documents[document].view) }), also)
}

/**
 * Plans a change of both documents, and writes it in one transaction: the roster first, which is the order of sending [V6].
 * Resolves when the change is on this device's disk [D1]. Edits that wait for their turn share one transaction, in their order,
 * so an app that makes many edits needs few commits.
 */
export function editAll(store: Store, plan: Plan, also?: Also): Promise<void> {
  const waiting = waitingEdits.get(store) ?? beginEdits(store)
  const index = waiting.edits.push({ plan, also }) - 1
  if (waiting.edits.length >= editsPerTransaction) waitingEdits.delete(store)
  return waiting.written.then(refusals => {
    if (refusals.has(index)) throw refusals.get(index)
  })
}

interface Edit {
  plan: Plan
  also: Also | undefined
}

/** Edits that are written together, and those of them that were refused before they changed anything. */
interface Edits {
  edits: Edit[]
  written: Promise<ReadonlyMap<number, unknown>>
}

/** Limited, because a transaction blocks the other tabs. */
const editsPerTransaction = 100

/** By store: the last edits whose transaction has not begun. */
const waitingEdits = new WeakMap<Store, Edits>()

function beginEdits(store: Store): Edits {
  const edits: Edit[] = []
  const end = (): void => {
    if (waitingEdits.get(store)?.edits === edits) waitingEdits.delete(store)
  }
  const written = store.work(async work => {
    end()
    const refusals = new Map<number, unknown>()
    for (const [index, { plan, also }] of edits.entries()) {
      const changed = changedOrRefusal(work, plan, error => refusals.set(index, error))
      for (const { name, changes } of changed) {
        await also?.(work, changes)
        await record(work, name, changes)
      }
    }
    return refusals
  })
  // The transaction may fail before it begins, for example when no database can be opened.
  const waiting = { edits, written: written.finally(end) }
  waitingEdits.set(store, waiting)
  return waiting
}

/** Returns the changes of an edit, based on all earlier changes; none if any of them is refused [D5]. */
function changedOrRefusal(
  work: Work,
  plan: Plan,
  refuse: (error: unknown) => void,
): { name: DocumentName; changes: readonly KeyChange[] }[] {
  try {
    const { limits } = work.documents
    const planned = plan(work.documents)
    const changed = documentNames.flatMap(name => {
      const changes = planned[name] ?? []
      return changes.length > 0 ? [{ name, changes }] : []
    })
    for (const { name, changes } of changed) {
      // What was refused takes no room, so it must not prevent this change.
      const { standing } = work.documents[name]
      checkLimits(name, standing, changes, limits, limit => work.documents.rosterBytes(limit))
    }
    return changed
  } catch (error) {
    refuse(asFailure(error))
    return []
  }
}

/** Writes changes that have passed the checks, and puts them into the outbox. */
async function record(
  work: Work,
  document: DocumentName,
  changes: readonly KeyChange[],
  marks: Marks = {},
): Promise<void> {
  work.willChange()
  const freed = await supersedeRefused(work, document, changes)
  await write(work, document, [...changes, ...freed], { marks })
}

/** Makes changes that a server had before again, under this client id. Refused changes of the same keys stay visible. */
export async function remake(
  work: Work,
  document: DocumentName,
  changes: readonly KeyChange[],
  clientId: number,
  marks: Marks = {},
): Promise<void> {
  work.willChange()
  await write(work, document, changes, { clientId, marks: { ...marks, isRemade: true } })
}

/** Makes earlier values again, which an entry that came back has overwritten. */
export async function sayAgain(
  work: Work,
  document: DocumentName,
  said: SaidAgain,
  randomness: Randomness,
): Promise<void> {
  const clientId = newRemakingClientId(randomness)
  for (const part of partsOfSaid(said)) {
    const { changes, isRemade } = part
    const marks = await placeOf(work.db, part)
    if (isRemade) await remake(work, document, changes, clientId, marks)
    else await record(work, document, changes, marks)
  }
}

async function write(
  { db, documents, wrote }: Work,
  document: DocumentName,
  changes: readonly KeyChange[],
  { clientId, marks }: { clientId?: number; marks?: Marks } = {},
): Promise<void> {
  const seen = seenBy(documents[document].standing, changes)
  const update = await documents.write(db, document, changes, clientId)
  if (!update) return
  await db.outbox.add({ document, update, changes: encodeChanges(changes), ...seen, ...marks })
  wrote()
}

/** When this device opens, it offers all refused changes again. A new refusal is reported again [D5]. */
export async function retryRefused(store: Store, randomness: Randomness): Promise<void> {
  if (documentNames.every(name => store.documents[name].refused.length === 0)) return
  await store.work(async work => {
    for (const name of documentNames) await dropSaid(work, name)
    for (const row of await refusedRows(work)) await offer(work, row, undefined, randomness)
  })
}

/** The server or its limits have changed: refused changes that now fit are offered again [D6]. */
export async function offerRefused(work: Work, randomness: Randomness): Promise<void> {
  for (const name of documentNames) {
    await dropSaid(work, name)
    await offerFitting(work, name, randomness, () => true)
  }
}

/** Offers changes that this device refused, if another refusal has made room for them; the server was not asked before. */
export async function offerRefusedHere(work: Work, name: DocumentName, randomness: Randomness): Promise<void> {
  await offerFitting(work, name, randomness, row => row.isRefusedHere === true)
}

async function offerFitting(
  work: Work,
  name: DocumentName,
  randomness: Randomness,
  isOffered: (row: OutboxRow) => boolean,
): Promise<void> {
  if (work.documents[name].refused.length === 0) return
  const room = roomOf(name, work.documents[name].standing, work.documents.limits)
  for (const row of (await refusedRows(work)).filter(row => row.document === name && isOffered(row))) {
    const fits = (unit: readonly KeyChange[]): boolean => room.take(unit, work.documents[name].standing) === undefined
    const changes = unitsOf(name, decodeChanges(row.changes)).filter(fits).flat()
    room.endEntry()
    if (changes.length === 0) continue
    const offered = { ...row, changes: encodeChanges(changes) }
    await offer(work, offered, row.reported, randomness)
  }
}

async function refusedRows(work: Work): Promise<OutboxRow[]> {
  return work.db.outbox
    .toCollection()
    .filter(row => row.refusal !== undefined)
    .toArray()
}

async function offer(
  work: Work,
  { document, changes: bytes, isRemade }: OutboxRow,
  reported: ErrorCode | undefined,
  randomness: Randomness,
): Promise<void> {
  const changes = decodeChanges(bytes)
  work.willChange()
  await supersedeRefused(work, document, changes)
  const marks = { ...(isRemade && { isRemade }), ...(reported && { reported }) }
  await write(work, document, changes, { marks, ...(isRemade && { clientId: newRemakingClientId(randomness) }) })
}

/**
 * Drops refused changes that the document now contains. Also drops a refused change that was made again, if its original came
 * back, even if another device has removed the original since.
 */
export async function dropSaid(work: Work, name: DocumentName): Promise<void> {
  const own = work.documents[name]
  const originals = work.documents.originals[name]
  const remade = new Set(work.documents.refusedAgain(name).map(keyName))
  const isSaid = (change: KeyChange): boolean => {
    const { root, key, value } = change
    const address = keyName(change)
    const isBack = value !== undefined && remade.has(address) && isOriginalThere(own, originals, address)
    return isBack || sameValue(own.standing.get(root, key), value)
  }
  const said = unitsOf(name, own.refused)
    .filter(unit => unit.every(isSaid))
    .flat()
  if (said.length === 0) return
  await supersedeRefused(work, name, said)
  await rememberRemoved(work, name, said)
}

/** Removals leave no trace in a rebuilt document, and another device may make the entry again, so they are remembered. */
async function rememberRemoved(work: Work, name: DocumentName, changes: readonly KeyChange[]): Promise<void> {
  const { known, removed } = work.documents
  const gone = changes.filter(change => change.value === undefined && !mayComeBack.has(change.root))
  if (!known[name]) return
  work.documents.removed = { ...removed, [name]: new Set([...(removed[name] ?? []), ...gone.map(keyName)]) }
  await writeMeta(work.db, 'removed', work.documents.removed)
}

/**
 * New changes take their keys from the refused changes. Resolves to the remaining removals of the same units: these would have
 * removed what the refused value replaces. The value is given up, so the removals need not wait for it: no server refuses a
 * removal.
 */
async function supersedeRefused(
  work: Work,
  document: DocumentName,
  changes: readonly KeyChange[],
): Promise<readonly KeyChange[]> {
  const own = work.documents[document]
  if (own.refused.length === 0) return []
  const keys = new Set(changes.map(keyName))
  const isTaken = (change: KeyChange): boolean => keys.has(keyName(change))
  if (!own.refused.some(isTaken)) return []
  const rows = (await refusedRows(work)).filter(row => row.document === document)
  const left: KeyChange[] = []
  const freed: KeyChange[] = []
  for (const row of rows) {
    const kept: KeyChange[] = []
    for (const unit of unitsOf(document, decodeChanges(row.changes))) {
      const rest = unit.filter(change => !isTaken(change))
      const isFree = rest.length < unit.length && rest.every(({ value }) => value === undefined)
      ;(isFree ? freed : kept).push(...rest)
    }
    if (kept.length > 0) await work.db.outbox.put({ ...row, changes: encodeChanges(kept) })
    else await work.db.outbox.delete(row.seq as number)
    left.push(...kept)
  }
  own.setRefused(left)
  if (document === 'roster') work.touch(changes)
  return freed
}
