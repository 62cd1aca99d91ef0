import { KithError } from '@kith/shared'
import type { DeviceDatabase } from '../database/contract.ts'
import { isFull, isNamed } from '../database/failure.ts'
import { EmptyDatabase } from '../database/own-documents.ts'

/** The database that memory was read from is gone, or there is another one instead. */
export class DatabaseLost extends Error {
  constructor() {
    super("This device's database is gone")
  }
}

/** Whether the whole database may have failed, and not just one piece of work. */
export function isLoss(error: unknown, db?: Pick<DeviceDatabase, 'isOpen'>): boolean {
  if (error instanceof KithError) return error.code === 'database-failed' && isLoss(error.cause, db)
  if (db?.isOpen() === false || error instanceof DatabaseLost || error instanceof EmptyDatabase) return true
  return isNamed(error, lossNames) && !isFull(error)
}

/** The platform aborts running operations before it reports that it has closed the connection. */
const lossNames = ['DatabaseClosedError', 'OpenFailedError', 'AbortError', 'InvalidStateError', 'UnknownError']
