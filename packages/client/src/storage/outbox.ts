import * as Y from 'yjs'
import { type DocumentName, documentNames, type KithDatabase, type OutboxRow, readMeta, writeMeta } from './database.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** Something to send, and the outbox entries that are on the server's disk once it has been acknowledged. */
export interface Shipment {
  type: 'shipment'
  document: DocumentName
  /** Whether it answers the server's step 1, and so brings all of the document that the server lacks. */
  isAnswer: boolean
  update: Uint8Array
  seqs: number[]
}

/** The server's state vectors that are to be answered. */
export type Asked = Partial<Record<DocumentName, Uint8Array>>

export interface ShippingMode {
  /** One entry at a time, to learn which one the server refuses [D5]. */
  isCareful: boolean
  /** Answer at once, roster first, whatever the order of what is unsent: the server lacks what that builds on. */
  isForced: boolean
}

/** The server holds changes of this device's client id that this device never sent: its database was restored or copied. */
export interface Clone {
  type: 'clone'
  document: DocumentName
}

/** As many entries as one run carries at most, and as many bytes, well under the limit of a frame (S3). */
const entriesPerRun = 500
const bytesPerRun = 256 * 1024

/**
 * What to send next. The order on the wire is the order in which changes were made, over both documents [V6]; so only when
 * nothing unsent stands in between does one answer carry all that the server lacks of a document.
 */
export async function nextShipment(
  store: Store,
  asked: Asked,
  mode: ShippingMode,
): Promise<Shipment | Clone | undefined> {
  return store.work(async work => {
    for (const document of documentNames) {
      const stateVector = asked[document]
      if (stateVector && (await isCloned(work, document, stateVector))) return { type: 'clone', document }
    }
    const answer = await nextAnswer(work, asked, mode)
    const shipment = answer ?? (await nextRun(work, mode))
    if (shipment) await noteSent(work, shipment.document)
    return shipment
  })
}

/** The server has these on its disk. */
export async function acknowledge(store: Store, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return
  await store.work(async work => work.db.outbox.bulkDelete([...seqs]))
}

/** The last entry that is to be sent; 0 when there is none. */
export async function lastPending(store: Store): Promise<number> {
  const isPending = (row: OutboxRow): boolean => row.refusal === undefined
  const last = await store.apart(() => store.db.outbox.orderBy(':id').reverse().filter(isPending).first())
  return last?.seq ?? 0
}

/** Entries that are to be sent, in order. */
export async function pendingEntries(db: KithDatabase, limit: number | undefined): Promise<OutboxRow[]> {
  const pending = db.outbox.orderBy(':id').filter(row => row.refusal === undefined)
  return (limit === undefined ? pending : pending.limit(limit)).toArray()
}

async function nextAnswer(work: Work, asked: Asked, mode: ShippingMode): Promise<Shipment | undefined> {
  if (!asked.roster && !asked.profile) return undefined
  const pending = await pendingEntries(work.db, undefined)
  const document = documentNames.find(name => asked[name] && (mode.isForced || mayAnswer(name, pending)))
  const stateVector = document && asked[document]
  if (!stateVector) return undefined
  const update = Y.encodeStateAsUpdate(work.documents[document].doc, stateVector)
  const seqs = pending.filter(row => row.document === document).map(row => row.seq as number)
  return { type: 'shipment', document, isAnswer: true, update, seqs }
}

/** No entry of the other document stands before one of this. */
function mayAnswer(document: DocumentName, pending: readonly OutboxRow[]): boolean {
  const firstOther = pending.findIndex(row => row.document !== document)
  return firstOther < 0 || !pending.slice(firstOther).some(row => row.document === document)
}

async function nextRun(work: Work, { isCareful }: ShippingMode): Promise<Shipment | undefined> {
  const entries = await pendingEntries(work.db, isCareful ? 1 : entriesPerRun)
  const [head] = entries
  if (!head) return undefined
  const run: OutboxRow[] = []
  let bytes = 0
  for (const entry of entries) {
    bytes += entry.update.length
    if (entry.document !== head.document || (run.length > 0 && bytes > bytesPerRun)) break
    run.push(entry)
  }
  const update = run.length === 1 ? head.update : Y.mergeUpdates(run.map(entry => entry.update))
  const seqs = run.map(entry => entry.seq as number)
  return { type: 'shipment', document: head.document, isAnswer: false, update, seqs }
}

/** Before anything is sent, how far this device's client id has come is on disk: whatever lies beyond isn't ours. */
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
