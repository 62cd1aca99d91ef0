import type { Status } from '@kith/client'

export interface SyncWords {
  text: string
  tone: 'offline' | 'busy' | 'safe'
}

/** What is true of this device's changes: where they are, and what they wait for. */
export function syncWords(status: Status, unsent: number, isSwitchedOn: boolean): SyncWords {
  const changes = unsent === 1 ? '1 change' : `${unsent} changes`
  switch (status) {
    case 'offline':
    case 'connecting':
      if (!isSwitchedOn)
        return { tone: 'offline', text: unsent === 0 ? 'Offline' : `Offline · ${changes} waiting on this device` }
      // Between two attempts it is offline as well, until the next one.
      return {
        tone: 'busy',
        text: unsent === 0 ? 'Looking for the server…' : `Looking for the server · ${changes} waiting on this device`,
      }
    case 'syncing':
      return { tone: 'busy', text: unsent === 0 ? 'Catching up…' : `Catching up · ${changes} waiting` }
    case 'synced':
      return unsent === 0
        ? { tone: 'safe', text: 'Everything is on the server’s disk' }
        : { tone: 'busy', text: `${changes} on the way to the server’s disk` }
  }
}
