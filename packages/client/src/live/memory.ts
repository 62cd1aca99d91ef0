import type { Subscribable } from '../subscribable.ts'
import { subscribable } from './subscribable.ts'

/** Calls `listener` when the value may have changed. Returns an unsubscribe function. */
export type Listening = (listener: () => void) => () => void

/**
 * An observable of a value in memory: emits soon after subscribing, and again whenever the value changes. Each tab has the own
 * documents in memory, up to date with the database; it applies the changes of other tabs, and then this emits.
 */
export function liveMemory<T>(listen: Listening, read: () => T, isSame: (a: T, b: T) => boolean): Subscribable<T> {
  return subscribable(subscriber => {
    let shown: { value: T } | undefined
    const look = (): void => {
      const value = read()
      if (shown && isSame(shown.value, value)) return
      shown = { value }
      subscriber.next(value)
    }
    queueMicrotask(look) // Never before `subscribe` has returned.
    return listen(look)
  })
}
