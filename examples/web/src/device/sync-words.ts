import type { Status } from '@kith/client'
import { t } from '../texts/texts.ts'

export interface SyncWords {
  text: string
  tone: 'offline' | 'busy' | 'safe'
}

/** The state of this device's changes: whether they are saved, and what they wait for. */
export function syncWords(status: Status, unsent: number, isSwitchedOn: boolean): SyncWords {
  const { sync } = t
  switch (status) {
    case 'offline':
    case 'connecting':
      if (!isSwitchedOn) return { tone: 'offline', text: unsent === 0 ? sync.offline : sync.offlineUnsent(unsent) }
      // The status is also 'offline' between two attempts to connect.
      return { tone: 'busy', text: unsent === 0 ? sync.looking : sync.lookingUnsent(unsent) }
    case 'syncing':
      return { tone: 'busy', text: unsent === 0 ? sync.catching : sync.catchingUnsent(unsent) }
    case 'synced':
      return unsent === 0 ? { tone: 'safe', text: sync.saved } : { tone: 'busy', text: sync.saving(unsent) }
  }
}
