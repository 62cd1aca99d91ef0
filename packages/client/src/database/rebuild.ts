import { type ErrorCode, type KeyChange, type RosterRoot, userOfKey, valueBytes } from '@kith/shared'
import type { Randomness } from '../clock.ts'
import { encodeChanges } from '../documents/changes-codec.ts'
import { keyName, mergedDocument, unitsOf } from '../documents/lost.ts'
import type { DocumentName } from '../documents/name.ts'
import { OwnDocument } from '../documents/own-document.ts'
import { goneKeys, removedAgain, removedKeys } from '../documents/removed-keys.ts'
import { roomOf } from '../documents/room.ts'
import { knownBefore, originalsIn, saidAgain, standingOf } from '../documents/said-again.ts'
import { newClientId, newClientIdAbove, newRemakingClientId } from '../nonce.ts'
import { endReplacing } from './end-replacing.ts'
import { hadBy } from './had.ts'
import { LostGeneration } from './lost-generation.ts'
import { readMeta, writeMeta } from './meta.ts'
import { pendingEntries } from './outbox.ts'
import { type Entry, remadeEntries } from './remade-entries.ts'
import type { OutboxRow } from './schema.ts'
import { seenBy } from './seen.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** Details of a refused change. */
export interface Refusal {
  code: ErrorCode
  /** The outbox entry that was sent alone. */
  seq?: number
  /** A value of this size does not fit into a frame. */
  valueBytes?: number
}

export interface RebuildOptions {
  refusal?: Refusal | undefined
  /** The server may lack content that it had acknowledged, so the whole roster is sent before the profile. */
  isRosterFirst?: boolean
}

/** Changes that do not fit this server, and that have not been reported to the app. */
interface Refused {
  document: DocumentName
  code: ErrorCode
  /** The users that the changes of a roster name. */
  addresses: readonly string[]
}

export interface Rebuilt {
  refused: readonly Refused[]
  /** Whether it is known which changes were refused. */
  isExplained: boolean
}

/**
 * Rebuilds one document on the server's state. Everything that this device holds and the server lacks is made again as changes,
 * in entries of bounded size [D6]; the unsent changes follow [D5]. The device loses nothing: changes that exceed the server's
 * known limits, or were refused alone, stay in the outbox and stay visible.
 */
export async function rebuild(
  store: Store,
  name: DocumentName,
  serverState: Uint8Array,
  randomness: Randomness,
  { refusal, isRosterFirst = false }: RebuildOptions = {},
): Promise<Rebuilt> {
  return store.work(async work => {
    work.willChange()
    const { documents } = work
    const own = documents[name]
    const sent = (await readMeta(work.db, 'sent')) ?? { roster: 0, profile: 0 }
    const knownNow = knownBefore(own, sent[name], documents.known[name])
    const fresh = new OwnDocument(name, newClientIdAbove(knownNow.keys(), randomness))
    fresh.takeAll(serverState)
    const merged = mergedDocument(fresh, own, sent[name], newClientId(randomness))
    const known = documents.known[name]
    const earlier = documents.originals[name]
    const [neverTaken, laidOver] = [documents.neverTaken(name), own.refused]
    if (known) {
      const again = saidAgain(merged, { known, before: standingOf(own), originals: earlier, neverTaken, laidOver })
      merged.write([...again.neverTaken, ...again.taken])
    }
    const removed = documents.removed[name]
    if (known) merged.write(removedAgain(merged, goneKeys(own, removed)))
    merged.write(LostGeneration.of(own, fresh, hadBy(fresh.doc))?.corrections() ?? [])
    const originals = originalsIn(merged, fresh, laidOver, earlier)
    const rows = await pendingEntries(work.db, undefined)
    const suspect = refusal?.seq === undefined ? undefined : { seq: refusal.seq, code: refusal.code }
    const entries = remadeEntries({ name, fresh, merged, rows, suspect, isRosterFirst })
    await work.db.outbox.bulkDelete(rows.map(row => row.seq as number))
    const rebuilt = await writeEntries(work, fresh, entries, newRemakingClientId(randomness), refusal)
    await writeMeta(work.db, 'originals', { ...documents.originals, [name]: originals })
    await writeMeta(work.db, 'removed', { ...documents.removed, [name]: removedKeys(merged, fresh, removed) })
    await writeMeta(work.db, 'known', { ...documents.known, [name]: knownNow })
    await endReplacing(work, fresh, randomness)
    return rebuilt
  })
}

/** Makes the entries again on the rebuilt document if they fit. The outbox gets all of them, in this order. */
export async function writeEntries(
  work: Work,
  fresh: OwnDocument,
  entries: readonly Entry[],
  remakingClientId: number,
  refusal: Refusal | undefined,
): Promise<Rebuilt> {
  const { name } = fresh
  const room = roomOf(name, fresh.standing, work.documents.limits)
  const addresses = new Map<ErrorCode, Set<string>>()
  const hidden = new Set(work.documents[name].refused.map(keyName))
  let isExplained = false
  for (const entry of entries) {
    const { document, changes, isRemade, reported } = entry
    const row = { document, ...(isRemade && { isRemade }) }
    if (document !== name) {
      const { update, seen } = entry
      const kept = { ...row, update, changes: encodeChanges(changes), ...(seen && { seen }) }
      await work.db.outbox.add({ ...kept, ...(reported && { reported }) })
      continue
    }
    const fitting: KeyChange[] = []
    const refused = new RefusedParts()
    for (const unit of unitsOf(name, changes)) {
      const byServer = entry.refusal ?? tooLongFor(refusal, unit)
      const code = byServer ?? room.take(unit, fresh.standing)
      if (code === undefined) fitting.push(...unit)
      else refused.add(unit, { refusal: code, ...(byServer === undefined && { isRefusedHere: true }) })
    }
    room.endEntry()
    const seen = seenBy(fresh.standing, fitting)
    const update = fresh.write(fitting, isRemade ? remakingClientId : undefined)
    if (update) {
      const kept = { ...row, update, changes: encodeChanges(fitting), ...seen }
      await work.db.outbox.add({ ...kept, ...(reported && { reported }) })
    }
    for (const { changes, marks } of refused.parts) {
      isExplained = true
      // An earlier refusal of the same key concerns a later value, which stays visible.
      const kept = isRemade ? changes.filter(change => !hidden.has(keyName(change))) : changes
      if (kept.length === 0) continue
      const code = marks.refusal
      const refusal = { ...marks, reported: code }
      await work.db.outbox.add({ ...row, update: new Uint8Array(), changes: encodeChanges(kept), ...refusal })
      if (reported === code) continue
      const told = addresses.get(code) ?? new Set()
      addresses.set(code, told)
      for (const user of usersOf(name, kept)) told.add(user)
    }
  }
  const refused = [...addresses].map(([code, told]) => ({ document: name, code, addresses: [...told] }))
  return { refused, isExplained }
}

type RefusalMarks = Required<Pick<OutboxRow, 'refusal'>> & Pick<OutboxRow, 'isRefusedHere'>

/** The refused changes of one entry, grouped by the reason. */
class RefusedParts {
  readonly parts: { changes: KeyChange[]; marks: RefusalMarks }[] = []

  add(unit: readonly KeyChange[], marks: RefusalMarks): void {
    const { refusal, isRefusedHere } = marks
    const same = this.parts.find(part => part.marks.refusal === refusal && part.marks.isRefusedHere === isRefusedHere)
    if (same) same.changes.push(...unit)
    else this.parts.push({ changes: [...unit], marks })
  }
}

/** A frame with a value of that size closed the connection, so no value of that size is sent again. */
function tooLongFor(refusal: Refusal | undefined, unit: readonly KeyChange[]): ErrorCode | undefined {
  const { code, valueBytes: limit } = refusal ?? {}
  if (limit === undefined) return undefined
  return unit.some(({ value }) => value !== undefined && valueBytes(value) >= limit) ? code : undefined
}

function usersOf(name: DocumentName, changes: readonly KeyChange[]): string[] {
  if (name !== 'roster') return []
  return changes.flatMap(({ root, key }) => userOfKey(root as RosterRoot, key) ?? [])
}
