import type { KithError } from '@kith/shared'

/** Tells the app what fails, and of storage that fails again and again only once, until something can be stored. */
export class ErrorReporter {
  readonly #told: (error: KithError) => void
  #isTold = false
  #isEnded = false

  constructor(told: (error: KithError) => void) {
    this.#told = told
  }

  /** Returns `false` when it was reported before. */
  tell(error: KithError): boolean {
    if (this.#isEnded) return false
    const isStorage = error.code === 'database-failed'
    if (isStorage && this.#isTold) return false
    this.#isTold ||= isStorage
    this.#told(error)
    return true
  }

  /** Reports the last error, once. */
  end(error: KithError): boolean {
    const isFirst = this.tell(error)
    this.#isEnded = true
    return isFirst
  }

  isOver(): void {
    this.#isTold = false
  }
}
