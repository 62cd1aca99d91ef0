import { KithError } from '@kith/shared'
import type { Subscriber } from '../live/subscribable.ts'
import type { Subscribable } from '../subscribable.ts'

/** Subscribes. Returns an unsubscribe function. For a closed client, emits nothing and does not fail. */
export function follow<T>(open: () => Subscribable<T>, subscriber: Subscriber<T>): () => void {
  const subscription = unlessClosed(() => open().subscribe(subscriber))
  return () => subscription?.unsubscribe()
}

export function unlessClosed<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof KithError && error.code === 'closed') return undefined
    throw error
  }
}
