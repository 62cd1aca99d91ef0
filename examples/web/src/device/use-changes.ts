import { useSyncExternalStore } from 'react'
import type { Emitter } from '../devices/emitter.ts'

/** The result of `read`, updated when `changes` fires. `read` must return the same value while nothing has changed. */
export function useChanges<T>(changes: Emitter, read: () => T): T {
  return useSyncExternalStore(changes.subscribe, read)
}
