import { KithError } from '@kith/shared'
import type { DeviceDatabase } from '../database/contract.ts'
import { isFull, isNamed } from '../database/failure.ts'
import { EmptyDatabase } from '../database/own-documents.ts'

/** The database that memory was read from is gone, or another one stands in its place. */
export class DatabaseLost extends Error {
  constructor() {
    super("This device's database is gone")
  }
}

/** Whether it may be that the database, and no single piece of work, has failed. */
export function isLoss(error: unknown, db?: Pick<DeviceDatabase, 'isOpen'>): boolean {
  if (error instanceof KithError) return error.code === 'database-failed' && isLoss(error.cause, db)
  if (db?.isOpen() === false || error instanceof DatabaseLost || error instanceof EmptyDatabase) return true
  return isNamed(error, lossNames) && !isFull(error)
}

/** The platform aborts what runs before it tells that it has cut the connection off. */
const lossNames = ['DatabaseClosedError', 'OpenFailedError', 'AbortError', 'InvalidStateError', 'UnknownError']
