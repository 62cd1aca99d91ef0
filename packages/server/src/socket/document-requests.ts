import type { DocumentName } from '../relations/records.ts'

/** The server's own sync step 1s in one session: which of them are unanswered. */
export class DocumentRequests {
  readonly #asked: Record<DocumentName, boolean> = { roster: false, profile: false }
  readonly #hasAnswered: Record<DocumentName, boolean> = { roster: false, profile: false }

  /** Whether a step 1 is to be sent: there is none that is unanswered. */
  ask(document: DocumentName): boolean {
    if (this.#asked[document]) return false
    this.#asked[document] = true
    return true
  }

  answered(document: DocumentName): void {
    this.#asked[document] = false
    this.#hasAnswered[document] = true
  }

  /** Whether the device has said, in this session, what it has of a document. */
  hasAnswered(document: DocumentName): boolean {
    return this.#hasAnswered[document]
  }
}
