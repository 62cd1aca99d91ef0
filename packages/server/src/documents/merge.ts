import type { ErrorCode, Limits } from '@kith/shared'
import * as Y from 'yjs'
import { admit } from '../admission/admission.ts'
import { RelationCount } from '../admission/relation-count.ts'
import { profileRules, rosterRules } from '../admission/rules.ts'
import { sizeError } from '../admission/size-limits.ts'
import type { DocumentName } from '../relations/records.ts'
import type { DocumentsChange } from '../relations/store.ts'
import { profileChange, rosterChange } from './admitted.ts'
import type { StoredDocument } from './stored-document.ts'

/** What became of one update. */
type Outcome =
  | { state: 'admitted' }
  /** It builds on what the server lacks. */
  | { state: 'missing' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** What a run of updates of one document came to. */
export interface Merged extends Pick<DocumentsChange, 'roster' | 'profile'> {
  outcomes: Outcome[]
  /** What the server has; where an update builds on what it lacks. */
  stateVector: Uint8Array | undefined
  /** For the user's other devices; `undefined` when nothing changed. */
  relayed: Uint8Array | undefined
}

/** Of these updates what is in order, applied as one transaction: admission [S2], then the merge, then what it means. */
export function mergeUpdates(
  name: DocumentName,
  document: StoredDocument,
  updates: readonly Uint8Array[],
  limits: Limits,
): Merged {
  const rules = name === 'roster' ? rosterRules(limits) : profileRules(limits)
  const outcomes: Outcome[] = []
  const applied = document.apply(apply => {
    for (const update of updates) {
      const outcome = outcomeOf(name, document, update, admit(document.doc, update, rules), limits)
      outcomes.push(outcome)
      if (outcome.state === 'admitted') apply(update)
    }
  })
  const isAnyMissing = outcomes.some(({ state }) => state === 'missing')
  const change = applied && (name === 'roster' ? rosterChange(document, applied) : profileChange(document, applied))
  return {
    outcomes,
    stateVector: isAnyMissing ? Y.encodeStateVector(document.doc) : undefined,
    relayed: applied?.relayed,
    ...change,
  }
}

function outcomeOf(
  name: DocumentName,
  document: StoredDocument,
  update: Uint8Array,
  admission: ReturnType<typeof admit>,
  limits: Limits,
): Outcome {
  if (admission.state !== 'admitted') return admission
  const code =
    sizeError(name, document, update, admission.adds, limits) ??
    (name === 'roster' && admission.adds !== 'nothing'
      ? relationsError(document, update, admission.items, limits)
      : undefined)
  return code ? { state: 'refused', code, what: 'beyond a limit' } : { state: 'admitted' }
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

/** What a document holds that a device lacks; `undefined` for a state vector that is none. */
export function missingFrom({ doc }: StoredDocument, stateVector: Uint8Array): Uint8Array | undefined {
  try {
    return Y.encodeStateAsUpdate(doc, stateVector)
  } catch {
    // The only input is the vector: a wrong one is the sender's mistake, and the sender gets the error.
    return undefined
  }
}
