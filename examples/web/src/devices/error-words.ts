import type { KithError } from '@kith/client'
import { t } from '../texts/texts.ts'

/** What went wrong and what to do, in the words of the page. */
export function errorWords({ code, cause }: KithError): string {
  if (code === 'database-failed' && isFull(cause)) return t.errors['database-full']
  return t.errors[code]
}

/** The browser says so by a name, perhaps below other errors. */
function isFull(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, inner, cause, failures } = error as Record<string, unknown>
  const beneath = [inner, cause, ...(Array.isArray(failures) ? failures : [])]
  return name === 'QuotaExceededError' || beneath.some(isFull)
}
