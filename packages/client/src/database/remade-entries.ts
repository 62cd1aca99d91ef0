import { type ErrorCode, isNarrowing, type KeyChange, sameValue } from '@kith/shared'
import { decodeChanges } from '../documents/changes-codec.ts'
import { differences, inEntries, keyName, unitsOf } from '../documents/lost.ts'
import type { DocumentName } from '../documents/name.ts'
import type { OwnDocument } from '../documents/own-document.ts'
import type { OutboxRow } from './schema.ts'

/** An entry that is to be made and sent again. */
export interface Entry {
  document: DocumentName
  changes: KeyChange[]
  /** As it was stored. If the entry is of the rebuilt document, the update is made again. */
  update: Uint8Array
  isRemade: boolean
  /** The values that the changes met. If the entry is of the rebuilt document, this is computed again. */
  seen: Uint8Array | undefined
  /** The code that was already reported to the app. */
  reported: ErrorCode | undefined
  /** The entry was sent alone and is a single change, so this is what the server refused. */
  refusal?: ErrorCode
}

interface Plan {
  name: DocumentName
  /** The server's state. */
  fresh: OwnDocument
  /** The server's state merged with everything else that this device holds. */
  merged: OwnDocument
  /** The pending entries of both documents, in the order of sending. */
  rows: readonly OutboxRow[]
  /** The entry that was sent alone and refused. */
  suspect: { seq: number; code: ErrorCode } | undefined
  /** The whole roster is sent before the profile: the server may lack acknowledged revocations [V6]. */
  isRosterFirst: boolean
}

/**
 * The outbox of a device whose document is rebuilt on the server's state: first narrowing changes, then content that the server
 * had acknowledged but lacks, then changes that were never sent, in their order [D5][D6].
 */
export function remadeEntries(plan: Plan): Entry[] {
  const { name, isRosterFirst } = plan
  const [acknowledged, unsent] = [acknowledgedEntries(plan), unsentEntries(plan)]
  const narrowing = [...acknowledged, ...unsent].filter(entry => entry.document === name && isAllNarrowing(entry))
  const rest = [...acknowledged, ...unsent].filter(entry => !narrowing.includes(entry))
  if (!isRosterFirst) return [...narrowing, ...rest]
  const isOf = (document: DocumentName) => (entry: Entry) => entry.document === document
  return [...narrowing, ...rest.filter(isOf('roster')), ...rest.filter(isOf('profile'))]
}

function isAllNarrowing({ changes }: Entry): boolean {
  return changes.every(isNarrowing)
}

/** Of several changes of one key only the last counts, so sending some of them first has the same result. */
function unsentEntries({ name, rows, suspect }: Plan): Entry[] {
  const decoded = rows.filter(row => !row.isRemade || row.document !== name).map(asEntry)
  const last = new Map<string, KeyChange>()
  for (const { entry } of decoded) {
    if (entry.document === name) for (const change of entry.changes) last.set(keyName(change), change)
  }
  return decoded.flatMap(({ seq, entry }) => {
    if (entry.document !== name) return [entry]
    const changes = entry.changes.filter(change => last.get(keyName(change)) === change)
    return split({ ...entry, changes }, suspect?.seq === seq ? suspect.code : undefined)
  })
}

/** Content that the server lacks although this server, or an earlier one, had acknowledged it. */
function acknowledgedEntries({ name, fresh, merged, rows, suspect }: Plan): Entry[] {
  const own = rows.filter(row => row.document === name).map(asEntry)
  const covered = new Set(own.filter(({ entry }) => !entry.isRemade).flatMap(({ entry }) => entry.changes.map(keyName)))
  const entries: Entry[] = []
  for (const { seq, entry } of own.filter(({ entry }) => entry.isRemade)) {
    const changes = entry.changes
      .filter(change => !covered.has(keyName(change)))
      .map(({ root, key }) => ({ root, key, value: merged.standing.get(root, key) }))
      .filter(({ root, key, value }) => !sameValue(fresh.standing.get(root, key), value))
    for (const change of changes) covered.add(keyName(change))
    entries.push(...split({ ...entry, changes }, suspect?.seq === seq ? suspect.code : undefined))
  }
  const lost = differences(fresh, merged, change => covered.has(keyName(change)))
  const units = unitsOf(name, lost)
  for (const part of [units.filter(isNarrowingUnit), units.filter(unit => !isNarrowingUnit(unit))]) {
    for (const changes of inEntries(part)) {
      entries.push({
        document: name,
        changes,
        update: new Uint8Array(),
        isRemade: true,
        seen: undefined,
        reported: undefined,
      })
    }
  }
  return entries
}

function isNarrowingUnit(unit: readonly KeyChange[]): boolean {
  return unit.every(isNarrowing)
}

/**
 * Splits an entry into its narrowing changes and the rest. An entry that the server refused is split into halves; a change that
 * cannot be split further is the refused one.
 */
function split(entry: Entry, refusal: ErrorCode | undefined): Entry[] {
  const units = unitsOf(entry.document, entry.changes)
  if (units.length === 0) return []
  // A field that is set again also removes values that other devices set: this must not happen before the set itself.
  const parts = [units.filter(isNarrowingUnit), units.filter(unit => !isNarrowingUnit(unit))]
  const half = Math.ceil(units.length / 2)
  const isMixed = parts.every(part => part.length > 0)
  const halves = refusal === undefined || isMixed ? parts : [units.slice(0, half), units.slice(half)]
  const isFound = refusal !== undefined && units.length === 1
  return halves
    .filter(part => part.length > 0)
    .map(part => ({ ...entry, changes: part.flat(), ...(isFound && { refusal }) }))
}

function asEntry(row: OutboxRow): { seq: number; entry: Entry } {
  const { document, update, isRemade = false, seen, reported } = row
  return {
    seq: row.seq as number,
    entry: { document, update, changes: decodeChanges(row.changes), isRemade, seen, reported },
  }
}
