import { useSyncExternalStore } from 'react'
import type { Emitter } from '../devices/emitter.ts'

/** What `read` gives, again whenever `changes` says so. The same value must come back while nothing changed. */
export function useChanges<T>(changes: Emitter, read: () => T): T {
  return useSyncExternalStore(changes.subscribe, read)
}
