import type { DocumentName } from '../relations/records.ts'

/** The server's own sync step 1s in one session, and which of them are unanswered. */
export class DocumentRequests {
  readonly #asked: Record<DocumentName, boolean> = { roster: false, profile: false }
  readonly #hasAnswered: Record<DocumentName, boolean> = { roster: false, profile: false }

  /** Whether a step 1 must be sent, because none is unanswered. */
  ask(document: DocumentName): boolean {
    if (this.#asked[document]) return false
    this.#asked[document] = true
    return true
  }

  answered(document: DocumentName): void {
    this.#asked[document] = false
    this.#hasAnswered[document] = true
  }

  /** Whether the device has answered, in this session, what it has of a document. */
  hasAnswered(document: DocumentName): boolean {
    return this.#hasAnswered[document]
  }
}
