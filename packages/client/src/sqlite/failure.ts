import { KithError } from '@kith/shared'
import { textOf } from '../database/failure.ts'

/** The database was closed, or is not open yet. The rest of the client recognises the error by this name. */
export class DatabaseClosed extends Error {
  override readonly name = 'DatabaseClosedError'

  constructor() {
    super('This database is not open')
  }
}

/** Errors of SQLite, by the codes of bindings and by SQLite's own texts. */
const texts = {
  busy: /SQLITE_BUSY|SQLITE_LOCKED|database is locked|table is locked/,
  full: /SQLITE_FULL|database or disk is full|ENOSPC/,
  damaged: /SQLITE_CORRUPT|SQLITE_NOTADB|disk image is malformed|not a database/,
  readOnly: /SQLITE_READONLY|readonly database|EACCES|EPERM|EROFS/,
} as const

/** Whether another connection, of this or another process, has locked the file. */
function isBusy(error: unknown): boolean {
  return isKind(error, 'busy')
}

/** Wraps an error of SQLite in a KithError that says what to do about it. */
export function sqliteFailure(error: unknown, name: string): unknown {
  if (error instanceof KithError || error instanceof TypeError || error instanceof DatabaseClosed) return error
  if (isBusy(error)) {
    const message = `The database ${name} is open in another process or client: close that first, or use one for the whole app`
    return new KithError('database-in-use', message, { cause: error })
  }
  return new KithError('database-failed', describe(error, name), { cause: error })
}

function describe(error: unknown, name: string): string {
  if (isKind(error, 'full')) return 'No room left, nothing was stored: make room, then try again'
  if (isKind(error, 'damaged')) {
    return `The database ${name} is damaged: move its file away and open again, then all that the server has comes back (${textOf(error)})`
  }
  if (isKind(error, 'readOnly')) {
    return `The database ${name} cannot be written: allow this process to write its folder and files (${textOf(error)})`
  }
  return `The database ${name} failed: ${textOf(error)}`
}

function isKind(error: unknown, kind: keyof typeof texts): boolean {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown }
  return texts[kind].test(`${String(code)} ${textOf(error)}`)
}
