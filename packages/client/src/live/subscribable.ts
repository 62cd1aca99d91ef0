import { tell } from '../signal.ts'
import type { Observer, Subscribable, Subscription } from '../subscribable.ts'

/** The subscriber of an observable. */
export interface Subscriber<T> {
  next(value: T): void
  error(error: unknown): void
}

/** The name by which RxJS and others recognise an observable; not every platform has the symbol. */
const wellKnown: symbol = (Symbol.observable as symbol | undefined) ?? ('@@observable' as unknown as symbol)

/**
 * An observable like Dexie's. `start` is called for each subscriber; the function that it returns is called at unsubscribing.
 * If a listener throws, the other listeners are not affected: the error becomes an unhandled rejection.
 */
export function subscribable<T>(start: (subscriber: Subscriber<T>) => () => void): Subscribable<T> {
  const subscribe = (
    observerOrNext?: Observer<T> | ((value: T) => void) | null,
    onError?: ((error: unknown) => void) | null,
  ): Subscription => {
    const observer: Observer<T> =
      typeof observerOrNext === 'function' ? { next: observerOrNext } : (observerOrNext ?? {})
    const failed = onError ?? observer.error
    let isClosed = false
    const unlessClosed = (listener: () => void): void => {
      if (!isClosed) tell(listener)
    }
    const stop = start({
      next: value => unlessClosed(() => observer.next?.(value)),
      error: error => unlessClosed(() => failed?.(error)),
    })
    return {
      get closed() {
        return isClosed
      },
      unsubscribe() {
        if (!isClosed) stop()
        isClosed = true
      },
    }
  }
  const made = { subscribe } as Subscribable<T>
  return Object.assign(made, { [wellKnown]: () => made })
}
