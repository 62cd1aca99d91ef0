import { type ErrorCode, isFounder, isOfEarlier, type Limits, namesRetired, retiredOf } from '@kith/shared'
import * as Y from 'yjs'
import { admitting } from '../admission/admission.ts'
import { stepsPerSlice } from '../admission/merging-cost.ts'
import { RelationCount } from '../admission/relation-count.ts'
import { profileRules, rosterRules } from '../admission/rules.ts'
import { sizeError } from '../admission/size-limits.ts'
import { updateSlices } from '../admission/update-slices.ts'
import type { Admission } from '../admission/verdict.ts'
import type { DocumentsChange } from '../relations/changes.ts'
import type { DocumentName } from '../relations/records.ts'
import { profileChange, rosterChange } from './admitted.ts'
import { isDue } from './due.ts'
import type { StoredDocument } from './stored-document.ts'

/** The outcome of one update. */
type Outcome =
  | { state: 'admitted' }
  /** It builds on content that the server lacks. */
  | { state: 'missing' }
  /** It belongs to an earlier generation of the document. */
  | { state: 'outdated' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** The result of a run of updates to one document. */
export interface Merged extends Pick<DocumentsChange, 'roster' | 'profile'> {
  outcomes: Outcome[]
  /** The server's state vector, if an update builds on content that the server lacks. */
  stateVector: Uint8Array | undefined
  /** For the user's other devices; `undefined` when nothing changed. */
  relayed: Uint8Array | undefined
  /** The number of structs that were compared with others. */
  steps: number
  /** The document must be refounded. */
  isDue: boolean
}

/** What the decision about updates depends on, besides the document. */
export interface MergeContext {
  /** The day by which declined users lapse, in whole days since 1970. */
  lapsingDay: number
  /** The device that sent the updates builds on the present generation of the document: it received it, or has compared it. */
  hasGeneration: boolean
}

/** Work that yields every few ms, so that other work gets its turn. Meanwhile nothing else may use the document. */
export type Merging = Iterator<void, Merged>

/**
 * Merges the valid ones of these updates: admission [S2], then the merge, then the derived changes. Short work is one
 * transaction. A longer update is first admitted as a whole, and then applied in slices.
 */
export function* mergeUpdates(
  name: DocumentName,
  document: StoredDocument,
  updates: readonly Uint8Array[],
  limits: Limits,
  { lapsingDay, hasGeneration }: MergeContext,
): Generator<void, Merged> {
  const rules = name === 'roster' ? rosterRules(limits) : profileRules(limits)
  const outcomes: Outcome[] = []
  let steps = 0
  const transactions = document.begin()
  while (outcomes.length < updates.length) {
    const before = steps
    transactions.apply(apply => {
      for (const update of updates.slice(outcomes.length)) {
        if (steps - before >= stepsPerSlice) return
        if (isOutdated(document, update, hasGeneration)) {
          outcomes.push({ state: 'outdated' })
          continue
        }
        const admission = admitting(document.doc, update, rules).next()
        if (!admission.done) return
        if (admission.value.state === 'admitted') steps += admission.value.merging.steps
        const outcome = outcomeOf(name, document, update, admission.value, limits)
        outcomes.push(outcome)
        if (outcome.state === 'admitted') apply(update)
      }
    })
    if (outcomes.length === updates.length) break
    yield
    if (steps - before >= stepsPerSlice) continue
    const update = updates[outcomes.length] as Uint8Array
    const work = admitting(document.doc, update, rules)
    let step = work.next()
    for (; !step.done; step = work.next()) {
      // The admission check counts as well: even an update that is refused has this cost.
      steps += stepsPerSlice
      yield
    }
    const admission = step.value
    const outcome = outcomeOf(name, document, update, admission, limits)
    outcomes.push(outcome)
    if (admission.state !== 'admitted') continue
    steps += admission.merging.steps
    if (outcome.state !== 'admitted') continue
    for (const slice of updateSlices(document.doc, admission.merging.slices, admission.removals)) {
      transactions.apply(apply => apply(slice))
      yield
    }
  }
  const applied = transactions.end()
  // A document that an earlier version let grow to the bound without a refounding refuses every change, so no change would
  // start this check.
  const isAnyTooLarge = outcomes.some(outcome => outcome.state === 'refused' && sizeCodes.has(outcome.code))
  const isAnyMissing = outcomes.some(({ state }) => state === 'missing')
  const change = applied && (name === 'roster' ? rosterChange(document, applied) : profileChange(document, applied))
  return {
    outcomes,
    stateVector: isAnyMissing ? Y.encodeStateVector(document.doc) : undefined,
    relayed: applied?.relayed,
    steps,
    isDue: (applied !== undefined || isAnyTooLarge) && isDue(name, document, limits, lapsingDay),
    ...change,
  }
}

function outcomeOf(
  name: DocumentName,
  document: StoredDocument,
  update: Uint8Array,
  admission: Admission,
  limits: Limits,
): Outcome {
  if (admission.state !== 'admitted') return admission
  const code =
    sizeError(name, document, update, admission.adds, limits) ??
    (name === 'roster' && admission.adds !== 'nothing'
      ? relationsError(document, update, admission.merging.items, limits)
      : undefined)
  return code ? { state: 'refused', code, what: 'beyond a limit' } : { state: 'admitted' }
}

const sizeCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['roster-too-large', 'profile-too-large'])

/**
 * Whether an update has structs of a client that wrote in an earlier generation, or of another founder. No device of the
 * present generation has such structs. If not all earlier clients are known, an update of a device that may have another
 * generation also counts as outdated.
 */
function isOutdated({ doc, founder }: StoredDocument, update: Uint8Array, hasGeneration: boolean): boolean {
  const clients = clientsOf(update)
  if (clients.some(client => isFounder(client) && client !== founder)) return doc.store.clients.size > 0
  if (founder === 0) return false
  const retired = retiredOf(doc)
  return hasGeneration ? namesRetired(retired, clients) : isOfEarlier(retired, clients)
}

function clientsOf(update: Uint8Array): number[] {
  try {
    return [...Y.parseUpdateMeta(update).to.keys()]
  } catch {
    return [] // Admission reports what is wrong with these bytes.
  }
}

const relationCounts = new WeakMap<StoredDocument, RelationCount>()

function relationsError(
  document: StoredDocument,
  update: Uint8Array,
  items: number,
  { relations }: Limits,
): ErrorCode | undefined {
  const count = relationCounts.get(document) ?? new RelationCount()
  relationCounts.set(document, count)
  return count.error(document.doc, update, items, relations)
}
