import { type ErrorCode, KithError } from '@kith/shared'

/** Returns a KithError or TypeError unchanged, and anything else as the cause of a KithError. */
export function asFailure(error: unknown): unknown {
  return error instanceof KithError || error instanceof TypeError ? error : databaseFailure(error)
}

export function closed(): KithError {
  return new KithError('closed', 'This client was closed: call openKith again')
}

/** The text of an error of any kind. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Returns a KithError unchanged, and anything else as the cause of one with this code. */
export function asKithError(error: unknown, code: ErrorCode): KithError {
  if (error instanceof KithError) return error
  return new KithError(code, textOf(error), { cause: error })
}

/** Wraps an error of IndexedDB in a KithError that says what the user can do about it. */
function databaseFailure(error: unknown): KithError {
  return new KithError('database-failed', describe(error), { cause: error })
}

function describe(error: unknown): string {
  if (isFull(error)) return 'No room left, nothing was stored: make room, then try again'
  const text = textOf(error)
  if (isNamed(error, ['SecurityError'])) return `The browser refuses storage: allow this site to store data (${text})`
  return `This device's database failed: ${text}`
}

/** Whether there was no room for a write. */
export function isFull(error: unknown): boolean {
  return isNamed(error, ['QuotaExceededError'])
}

/** Whether the error or a wrapped error has one of these names. Dexie keeps wrapped errors as `inner` or `failures`. */
export function isNamed(error: unknown, names: readonly string[]): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, inner, cause, failures } = error as Record<string, unknown>
  const beneath = [inner, cause, ...(Array.isArray(failures) ? failures : [])]
  return names.includes(name as string) || beneath.some(other => isNamed(other, names))
}
