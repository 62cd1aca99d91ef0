import type { KithError } from '@kith/shared'

/** Reports errors to the app. A repeated storage failure is reported once, until a write succeeds. */
export class ErrorReporter {
  readonly #report: (error: KithError) => void
  #hasReportedStorage = false
  #isEnded = false

  constructor(report: (error: KithError) => void) {
    this.#report = report
  }

  /** Returns `false` when the error was already reported. */
  tell(error: KithError): boolean {
    if (this.#isEnded) return false
    const isStorage = error.code === 'database-failed'
    if (isStorage && this.#hasReportedStorage) return false
    this.#hasReportedStorage ||= isStorage
    this.#report(error)
    return true
  }

  /** Reports the last error, once. */
  end(error: KithError): boolean {
    const isFirst = this.tell(error)
    this.#isEnded = true
    return isFirst
  }

  isOver(): void {
    this.#hasReportedStorage = false
  }
}
