import { KithError } from '@kith/client'
import { t } from '../texts/texts.ts'
import { TokenRefused } from './token.ts'

/** What went wrong and what to do, in the language of the page. */
export function errorWords({ code, cause }: KithError): string {
  if (code === 'database-failed' && isFull(cause)) return t.errors['database-full']
  if (code === 'unavailable' && cause instanceof TokenRefused) return t.errors['sign-in-refused']
  return t.errors[code]
}

/** The same for any error; `undefined` for a bug of the page. */
export function anyErrorWords(error: unknown): string | undefined {
  if (error instanceof KithError) return errorWords(error)
  return isMissingPart(error) ? t.errors['page-outdated'] : undefined
}

/**
 * Whether a part of the page that is loaded on demand is missing, because a newer build replaced it. Each browser has its own
 * text.
 */
function isMissingPart(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|importing a module script/i.test(error.message)
}

/** The browser reports it by an error name, perhaps in the cause of other errors. */
function isFull(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, inner, cause, failures } = error as Record<string, unknown>
  const beneath = [inner, cause, ...(Array.isArray(failures) ? failures : [])]
  return name === 'QuotaExceededError' || beneath.some(isFull)
}
