import * as Y from 'yjs'
import { type DocumentName, documentNames } from '../documents/name.ts'
import { inPieces, piecesOf, removalsBut } from '../documents/pieces.ts'
import type { Tables } from './contract.ts'
import { noteDoubtful, settleDoubtful } from './doubtful-removals.ts'
import { readMeta, writeMeta } from './meta.ts'
import type { OutboxRow } from './schema.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** Updates to send, and the outbox entries that are on the server's disk once they have been acknowledged. */
export interface Shipment {
  type: 'shipment'
  document: DocumentName
  /** Whether it answers the server's step 1, and so contains everything of the document that the server lacks. */
  isAnswer: boolean
  /** Whether it contains only removals, sent before everything else. */
  isRemovals?: true
  /** In the order of sending. Each fits into a frame, as far as the limit is known. */
  updates: Uint8Array[]
  seqs: number[]
}

/** The server's state vectors that have not been answered. */
export type Asked = Partial<Record<DocumentName, Uint8Array | undefined>>

export interface ShippingMode {
  /** Nothing has been sent since the server stated its content. */
  isFirst: boolean
  /**
   * The state vectors of this device's documents from before the session. Updates from the user's other devices that arrived
   * since may be newer than the state that the server reported.
   */
  held: Record<DocumentName, ReadonlyMap<number, number>>
  /** Sends one entry at a time, to learn which one the server refuses [D5]. */
  isCareful: boolean
  /**
   * The server lacks content that it had acknowledged, and the order of that content is unknown. So removals of both documents
   * are sent first, then all of the roster, then all of the profile [V6][D6].
   */
  isRefill: boolean
  /** Documents whose removals the server has received. */
  removed: ReadonlySet<DocumentName>
  /** The maximum size of an update, unless it is a single change. */
  maxBytes(document: DocumentName): number
}

/** The server has changes under this device's client id that this device never sent: its database was restored or copied. */
export interface Clone {
  type: 'clone'
  document: DocumentName
}

/** The server lacks content that it had acknowledged. */
export interface Loss {
  type: 'loss'
}

/** The maximum number of entries in one run. */
const entriesPerRun = 500

/**
 * Returns what to send next. Changes of both documents are sent in the order in which they were made [V6]. So one answer may
 * contain everything that the server lacks of a document only if no unsent change of the other document lies in between.
 */
export async function nextShipment(
  store: Store,
  asked: Asked,
  mode: ShippingMode,
): Promise<Shipment | Clone | Loss | undefined> {
  return store.work(async work => {
    for (const document of documentNames) {
      const stateVector = asked[document]
      if (stateVector && (await isCloned(work, document, stateVector))) return { type: 'clone', document }
    }
    const pending = asked.roster || asked.profile ? await pendingEntries(work.db, undefined) : []
    const isFirst = !mode.isRefill && mode.isFirst
    if (isFirst && documentNames.some(name => hasLost(name, mode.held[name], asked[name], pending)))
      return { type: 'loss' }
    const removals = mode.isRefill ? nextRemovals(work, asked, pending, mode) : undefined
    const shipment = removals ?? nextAnswer(work, asked, pending, mode) ?? (await nextRun(work, asked, mode))
    // Nothing shows whether the server still has all removals, and none may be missing when an edit becomes visible [V6].
    const before = shipment?.document === 'profile' ? lostRemovals(work, asked, pending, mode) : undefined
    const next = before ?? shipment
    if (next) await noteSent(work, next.document)
    return next
  })
}

/** The shipment is on the server's disk. `isFilled`: it had nothing of a document that a server had before. */
export async function acknowledge(
  store: Store,
  { document, isAnswer, seqs }: Shipment,
  isFilled: boolean,
): Promise<void> {
  const settles = isAnswer && !isFilled
  if (seqs.length === 0 && !settles) return
  await store.work(async work => {
    if (settles) await settleDoubtful(work, document)
    if (isFilled) await noteDoubtful(work, document, await rowsOf(work, seqs))
    await work.db.outbox.bulkDelete([...seqs])
  })
}

async function rowsOf({ db }: Work, seqs: readonly number[]): Promise<OutboxRow[]> {
  return (await db.outbox.bulkGet([...seqs])).filter(row => row !== undefined)
}

/** The server's content of a document equals this device's. */
export async function sameThere(store: Store, document: DocumentName): Promise<void> {
  await store.work(work => settleDoubtful(work, document))
}

/** The number of the last pending entry; 0 when there is none. */
export async function lastPending(store: Store): Promise<number> {
  const isPending = (row: OutboxRow): boolean => row.refusal === undefined
  const last = await store.use(db => db.outbox.toCollection().filter(isPending).last())
  return last?.seq ?? 0
}

/** Pending entries, in the order of sending. */
export async function pendingEntries(db: Tables, limit: number | undefined): Promise<OutboxRow[]> {
  const pending = db.outbox.toCollection().filter(row => row.refusal === undefined)
  return (limit === undefined ? pending : pending.limit(limit)).toArray()
}

/** Whether the server lacks content of the document that is in no pending entry, which it had therefore acknowledged. */
function hasLost(
  document: DocumentName,
  held: ReadonlyMap<number, number>,
  stateVector: Uint8Array | undefined,
  pending: readonly OutboxRow[],
): boolean {
  if (!stateVector) return false
  const there = Y.decodeStateVector(stateVector)
  const unsentFrom = new Map<number, number>()
  for (const row of pending) {
    if (row.document !== document) continue
    for (const [client, clock] of Y.parseUpdateMeta(row.update).from) {
      unsentFrom.set(client, Math.min(unsentFrom.get(client) ?? Number.POSITIVE_INFINITY, clock))
    }
  }
  return [...held].some(([client, clock]) => (there.get(client) ?? 0) < (unsentFrom.get(client) ?? clock))
}

/** Removals, known to this device, of entries that the server has; the roster's first. */
function nextRemovals(
  work: Work,
  asked: Asked,
  pending: readonly OutboxRow[],
  { removed, maxBytes }: ShippingMode,
): Shipment | undefined {
  const document = documentNames.find(name => asked[name] && !removed.has(name))
  if (!document) return undefined
  const { doc } = work.documents[document]
  const lacking = Y.encodeStateAsUpdate(doc, asked[document])
  // A new viewer must not see the old value of a field, even if the field is absent for a moment. A roster shows no values.
  const showsValues = document === 'profile'
  const updates = piecesOf(lacking, maxBytes(document), doc, unsentOf(document, pending), showsValues).removals
  return { type: 'shipment', document, isAnswer: false, isRemovals: true, updates, seqs: [] }
}

/** All acknowledged removals of the roster, whether the server still has them or not. */
function lostRemovals(
  work: Work,
  asked: Asked,
  pending: readonly OutboxRow[],
  { removed, maxBytes }: ShippingMode,
): Shipment | undefined {
  if (!asked.roster || removed.has('roster')) return undefined
  const { doc } = work.documents.roster
  const lacking = Y.encodeStateAsUpdate(doc, asked.roster)
  const updates = removalsBut(lacking, unsentOf('roster', pending), maxBytes('roster'), doc)
  return { type: 'shipment', document: 'roster', isAnswer: false, isRemovals: true, updates, seqs: [] }
}

function unsentOf(document: DocumentName, pending: readonly OutboxRow[]): Uint8Array[] {
  return pending.filter(row => row.document === document).map(row => row.update)
}

function nextAnswer(
  work: Work,
  asked: Asked,
  pending: readonly OutboxRow[],
  { isRefill, maxBytes }: ShippingMode,
): Shipment | undefined {
  const mayAnswer = isRefill ? mayRefill : mayAnswerInOrder
  const document = documentNames.find(name => asked[name] && mayAnswer(name, asked, pending))
  const stateVector = document && asked[document]
  if (!stateVector) return undefined
  const { doc } = work.documents[document]
  const lacking = Y.encodeStateAsUpdate(doc, stateVector)
  const seqs = pending.filter(row => row.document === document).map(row => row.seq as number)
  return { type: 'shipment', document, isAnswer: true, updates: inPieces(lacking, maxBytes(document), doc), seqs }
}

/** The whole roster is sent before the profile. */
function mayRefill(document: DocumentName, asked: Asked, pending: readonly OutboxRow[]): boolean {
  return document === 'roster' || (!asked.roster && pending.every(row => row.document !== 'roster'))
}

/** Whether no entry of the other document precedes an entry of this one. */
function mayAnswerInOrder(document: DocumentName, _asked: Asked, pending: readonly OutboxRow[]): boolean {
  const firstOther = pending.findIndex(row => row.document !== document)
  return firstOther < 0 || !pending.slice(firstOther).some(row => row.document === document)
}

async function nextRun(work: Work, asked: Asked, mode: ShippingMode): Promise<Shipment | undefined> {
  const { isCareful, isRefill, maxBytes } = mode
  // In a refill, the profile's answer waits for the roster's entries, and contains all entries of the profile.
  const isRosterOnly = isRefill && asked.profile !== undefined
  const limit = isCareful || isRosterOnly ? undefined : entriesPerRun
  const entries = (await pendingEntries(work.db, isCareful && !isRosterOnly ? 1 : limit)).filter(
    row => !isRosterOnly || row.document === 'roster',
  )
  const [head] = entries
  if (!head) return undefined
  const run: OutboxRow[] = []
  const most = maxBytes(head.document)
  let bytes = 0
  for (const entry of isCareful ? [head] : entries) {
    bytes += entry.update.length
    if (entry.document !== head.document || (run.length > 0 && bytes > most)) break
    run.push(entry)
  }
  const update = run.length === 1 ? head.update : Y.mergeUpdates(run.map(entry => entry.update))
  const seqs = run.map(entry => entry.seq as number)
  const updates = inPieces(update, most, work.documents[head.document].doc)
  return { type: 'shipment', document: head.document, isAnswer: false, updates, seqs }
}

/**
 * Before anything is sent, the clock of this device's client id is written to disk. Structs beyond it were made by a copy of
 * this database.
 */
async function noteSent(work: Work, document: DocumentName): Promise<void> {
  const sent = (await readMeta(work.db, 'sent')) ?? { roster: 0, profile: 0 }
  const clock = work.documents[document].ownClock
  if (sent[document] < clock) await writeMeta(work.db, 'sent', { ...sent, [document]: clock })
}

async function isCloned(work: Work, document: DocumentName, stateVector: Uint8Array): Promise<boolean> {
  const sent = await readMeta(work.db, 'sent')
  const { clientId } = work.documents[document]
  return (Y.decodeStateVector(stateVector).get(clientId) ?? 0) > (sent?.[document] ?? 0)
}
