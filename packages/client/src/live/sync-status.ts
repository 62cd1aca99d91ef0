import type { Status } from '../api/events.ts'

/** How far this device and the server are synchronised. */
export interface SyncStatus {
  status: Status
  /** The number of changes that are not yet on the server's disk. */
  unsent: number
}

export function sameSyncStatus(a: SyncStatus, b: SyncStatus): boolean {
  return a.status === b.status && a.unsent === b.unsent
}
