import { type ErrorCode, founderOf, isOfEarlier, type Limits, namesRetired, retiredOf } from '@kith/shared'
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

/** What became of one update. */
type Outcome =
  | { state: 'admitted' }
  /** It builds on what the server lacks. */
  | { state: 'missing' }
  /** It is of an earlier generation of the document. */
  | { state: 'outdated' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** What a run of updates of one document came to. */
export interface Merged extends Pick<DocumentsChange, 'roster' | 'profile'> {
  outcomes: Outcome[]
  /** What the server has; where an update builds on what it lacks. */
  stateVector: Uint8Array | undefined
  /** For the user's other devices; `undefined` when nothing changed. */
  relayed: Uint8Array | undefined
  /** How many structs were compared with others. */
  steps: number
  /** The document is to be refounded. */
  isDue: boolean
}

/** What decides about updates beside the document. */
export interface MergeContext {
  /** Whole days since 1970. */
  today: number
  /** The device that sent them builds upon the present generation of the document: it was sent it, or has compared. */
  hasGeneration: boolean
}

/** Work that yields where others may have their turn, every few ms. Meanwhile the document is used for nothing else. */
export type Merging = Iterator<void, Merged>

/**
 * Of these updates what is in order: admission [S2], then the merge, then what it means. Short work is one transaction. What
 * takes longer is admitted as a whole before anything of it is applied, and then applied in slices.
 */
export function* mergeUpdates(
  name: DocumentName,
  document: StoredDocument,
  updates: readonly Uint8Array[],
  limits: Limits,
  { today, hasGeneration }: MergeContext,
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
      // What it takes to find out counts as well: an update that is refused has cost this.
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
  // What an earlier version let grow to the bound, without a refounding, is refused: no change of it would bring the look.
  const isAnyTooLarge = outcomes.some(outcome => outcome.state === 'refused' && sizeCodes.has(outcome.code))
  const isAnyMissing = outcomes.some(({ state }) => state === 'missing')
  const change = applied && (name === 'roster' ? rosterChange(document, applied) : profileChange(document, applied))
  return {
    outcomes,
    stateVector: isAnyMissing ? Y.encodeStateVector(document.doc) : undefined,
    relayed: applied?.relayed,
    steps,
    isDue: (applied !== undefined || isAnyTooLarge) && isDue(name, document, limits, today),
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
 * Whether an update has structs of a client that wrote in an earlier generation, or of another founder: no device of this one
 * has them. Where not all earlier clients are known, an update of a device that may have another generation counts as one, too.
 */
function isOutdated({ doc, founder }: StoredDocument, update: Uint8Array, hasGeneration: boolean): boolean {
  const retired = retiredOf(doc)
  if (retired.size === 0) return false
  const clients = clientsOf(update)
  const theirs = founderOf(clients)
  if (theirs > 0 && theirs !== founder) return true
  return hasGeneration ? namesRetired(retired, clients) : isOfEarlier(retired, clients)
}

function clientsOf(update: Uint8Array): number[] {
  try {
    return [...Y.parseUpdateMeta(update).to.keys()]
  } catch {
    return [] // Admission says what is wrong with these bytes.
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
