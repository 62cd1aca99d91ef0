declare global {
  interface SymbolConstructor {
    /** As RxJS and Dexie declare it. Not every platform has it. */
    readonly observable: symbol
  }
}

/** What a subscriber of an observable passes. */
export interface Observer<T> {
  next?: ((value: T) => void) | undefined
  error?: ((error: unknown) => void) | undefined
  complete?: (() => void) | undefined
}

/** A subscription, until it is ended. */
export interface Subscription {
  readonly closed: boolean
  /** Ends the subscription. May be called twice. */
  unsubscribe(): void
}

/**
 * A value that changes: each subscriber gets it soon after subscribing, and again after each change. RxJS' `from` takes it too.
 */
export interface Subscribable<T> {
  /**
   * Subscribes to the value.
   *
   * @param observerOrNext - A function that gets each value, or an observer.
   * @param onError - Gets the error that ends the subscription, if there is one.
   * @returns The subscription, which the caller ends.
   */
  subscribe(
    observerOrNext?: Observer<T> | ((value: T) => void) | null,
    onError?: ((error: unknown) => void) | null,
  ): Subscription
  /** By which RxJS' `from` and others recognise an observable. */
  [Symbol.observable]: () => Subscribable<T>
}
