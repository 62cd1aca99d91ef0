import { KithError } from '@kith/client'
import { t } from '../texts/texts.ts'
import { TokenRefused } from './token.ts'

/** What went wrong and what to do, in the words of the page. */
export function errorWords({ code, cause }: KithError): string {
  if (code === 'database-failed' && isFull(cause)) return t.errors['database-full']
  if (code === 'unavailable' && cause instanceof TokenRefused) return t.errors['sign-in-refused']
  return t.errors[code]
}

/** The same for any error; `undefined` for a mistake of the page. */
export function anyErrorWords(error: unknown): string | undefined {
  if (error instanceof KithError) return errorWords(error)
  return isMissingPart(error) ? t.errors['page-outdated'] : undefined
}

/** A part of the page that is loaded when it is needed: a newer build has another one. Each browser has its own words. */
function isMissingPart(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|importing a module script/i.test(error.message)
}

/** The browser says so by a name, perhaps below other errors. */
function isFull(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, inner, cause, failures } = error as Record<string, unknown>
  const beneath = [inner, cause, ...(Array.isArray(failures) ? failures : [])]
  return name === 'QuotaExceededError' || beneath.some(isFull)
}
