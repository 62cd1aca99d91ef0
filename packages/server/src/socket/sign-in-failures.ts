import { KithError } from '@kith/shared'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'

/** The shortest time between two log entries. */
const isNewsMs = 60_000
const mostCauses = 5
const mostCharacters = 4_000

/**
 * Logs that sign-ins could not be checked, because of the app's function, the issuer's keys or the store. A token that is not
 * valid is no failure.
 */
export class SignInFailures {
  readonly #clock: Clock
  readonly #log: Pick<Logger, 'error'>
  #loggedAtMs = Number.NEGATIVE_INFINITY
  /** The number of failures since the last log entry. */
  #count = 0

  constructor(clock: Clock, log: Pick<Logger, 'error'>) {
    this.#clock = clock
    this.#log = log
  }

  note(error: unknown, token: string): void {
    if (error instanceof KithError && error.code === 'unauthorised') return
    this.#count++
    const nowMs = this.#clock.elapsed()
    if (nowMs - this.#loggedAtMs < isNewsMs) return
    const message = 'tokens could not be checked: the devices try again later'
    this.#log.error({ failures: this.#count, reason: textOf(error, token) }, message)
    this.#loggedAtMs = nowMs
    this.#count = 0
  }
}

/** The error and its causes as text, because an error of the app may contain the token. */
function textOf(error: unknown, token: string): string {
  const texts: string[] = []
  for (let one = error; one !== undefined && texts.length < mostCauses; ) {
    texts.push(one instanceof Error ? (one.stack ?? String(one)) : String(one))
    one = one instanceof Error ? one.cause : undefined
  }
  const text = texts.join('\ncaused by: ')
  return (token === '' ? text : text.replaceAll(token, '<token>')).slice(0, mostCharacters)
}
