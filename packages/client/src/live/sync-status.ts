import type { Status } from '../api/events.ts'

/** How far this device and the server are with each other. */
export interface SyncStatus {
  status: Status
  /** How many changes are not yet on the server's disk. */
  unsent: number
}

export function sameSyncStatus(a: SyncStatus, b: SyncStatus): boolean {
  return a.status === b.status && a.unsent === b.unsent
}
