import type { Observer, Subscribable, Subscription } from '../subscribable.ts'

/** The subscriber of an observable. */
export interface Subscriber<T> {
  next(value: T): void
  error(error: unknown): void
}

/** The name under which RxJS and others look for an observable; not every platform has the symbol. */
const wellKnown: symbol = (Symbol.observable as symbol | undefined) ?? ('@@observable' as unknown as symbol)

/**
 * An observable like Dexie's: `start` is called for each subscriber, and what it returns when they leave. A listener that
 * throws harms no other: its error surfaces as the platform's unhandled rejections do.
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
    const tell = (listener: () => void): void => {
      if (isClosed) return
      try {
        listener()
      } catch (error) {
        void Promise.reject(error)
      }
    }
    const stop = start({
      next: value => tell(() => observer.next?.(value)),
      error: error => tell(() => failed?.(error)),
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
