import { parentPort } from 'node:worker_threads'
import { type ContactFacts, documentDigest, type Limits } from '@kith/shared'
import * as Y from 'yjs'
import type { DocumentName } from '../relations/records.ts'
import { madeEdit } from './backend-edit.ts'
import { longDeclined } from './declined.ts'
import { encodeFacts } from './encoded-facts.ts'
import { exportedBytes } from './exported.ts'
import { foundIfDue } from './founding.ts'
import { type Merged, type Merging, mergeUpdates } from './merge.ts'
import type { EncodedMerged, MergeAnswer, MergeRequest } from './merge-messages.ts'
import { missingFrom, newestOf } from './missing.ts'
import { isOfOther } from './state-vector.ts'
import { StoredDocument } from './stored-document.ts'
import { lowerThreadPriority } from './thread-priority.ts'

/** The merging thread. It holds large documents, and nothing else. */
const documents = new Map<
  number,
  { name: DocumentName; document: StoredDocument; limits: Limits; merging?: Merging | undefined }
>()

lowerThreadPriority()

parentPort?.on('message', (request: MergeRequest) => {
  const answer = answerTo(request)
  parentPort?.postMessage(answer, buffersOf(answer))
})

function answerTo(request: MergeRequest): MergeAnswer {
  try {
    return handle(request)
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

function handle(request: MergeRequest): MergeAnswer {
  if (request.type === 'open') {
    const { name, parts, limits } = request
    const document = new StoredDocument(name, parts)
    documents.set(request.document, { name, document, limits })
    return stateOf(document)
  }
  const opened = documents.get(request.document)
  if (!opened) throw new Error('the document is not open')
  const { name, document, limits } = opened
  switch (request.type) {
    case 'merge':
      opened.merging = mergeUpdates(name, document, request.updates, limits, request.context)
      return advance(opened)
    case 'continue':
      return advance(opened)
    case 'missing':
      return { ...stateOf(document), bytes: missingFrom(document, request.stateVector) }
    case 'newest':
      return { ...stateOf(document), bytes: newestOf(document, request.updates) }
    case 'stateVector':
      return { ...stateOf(document), bytes: Y.encodeStateVector(document.doc) }
    case 'digest':
      return { ...stateOf(document), bytes: documentDigest(document.doc) }
    case 'isOfOther':
      return { ...stateOf(document), isOfOther: isOfOther(document, request.stateVector) }
    case 'exported':
      return { ...stateOf(document), bytes: exportedBytes(document, request.beside) }
    case 'madeEdit':
      return { ...stateOf(document), madeEdit: madeEdit(document, request.edit) }
    case 'longDeclined':
      return { ...stateOf(document), users: longDeclined(document.doc, request.lapsingDay) }
    case 'found':
      return { ...stateOf(document), founded: foundIfDue(name, document, limits, request.founding) }
    case 'close':
      documents.delete(request.document)
      document.destroy()
      return { weight: 0, founder: 0 }
  }
}

function stateOf({ weight, founder }: StoredDocument): { weight: number; founder: number } {
  return { weight, founder }
}

/** As in the main thread, a merge is cut into slices, so that other users' documents get their turn. */
function advance(opened: { document: StoredDocument; merging?: Merging | undefined }): MergeAnswer {
  const { document, merging } = opened
  if (!merging) throw new Error('no merge is under way')
  const step = merging.next()
  if (!step.done) return { ...stateOf(document), goesOn: true }
  opened.merging = undefined
  return { ...stateOf(document), merged: encoded(step.value) }
}

function encoded({ roster, ...rest }: Merged): EncodedMerged {
  if (!roster) return rest
  return { ...rest, roster: { ...roster, facts: encodeFacts(roster.facts as ReadonlyMap<string, ContactFacts>) } }
}

/** The buffers that are transferred instead of copied: each buffer once, and none that Node shares among small arrays. */
function buffersOf(answer: MergeAnswer): ArrayBuffer[] {
  if ('error' in answer) return []
  const { merged, bytes } = answer
  const arrays = [bytes, merged?.relayed, merged?.roster?.update, merged?.roster?.snapshot, merged?.roster?.facts]
  const whole = arrays.filter(array => array && array.byteLength === array.buffer.byteLength)
  return [...new Set(whole.map(array => array?.buffer as ArrayBuffer))]
}
