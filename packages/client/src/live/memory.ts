import type { Subscribable } from '../subscribable.ts'
import { subscribable } from './subscribable.ts'

/** Calls `listener` whenever what is read may look different. Returns a function that unsubscribes. */
export type Listening = (listener: () => void) => () => void

/**
 * What is kept in memory, first soon after subscribing and then whenever it looks different. Own documents are kept in the
 * memory of every tab, level with the database: what another tab writes is taken in, and then this tells it too.
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
    queueMicrotask(look) // Never while the caller still waits for its subscription.
    return listen(look)
  })
}
