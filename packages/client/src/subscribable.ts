declare global {
  interface SymbolConstructor {
    /** Declared as in RxJS and Dexie. Not every platform has it. */
    readonly observable: symbol
  }
}

/** The observer that a subscriber may pass. */
export interface Observer<T> {
  next?: ((value: T) => void) | undefined
  error?: ((error: unknown) => void) | undefined
  complete?: (() => void) | undefined
}

/** An active subscription. */
export interface Subscription {
  readonly closed: boolean
  /** Ends the subscription. May be called twice. */
  unsubscribe(): void
}

/**
 * A value that changes. Each subscriber gets it soon after subscribing, and again after each change. RxJS' `from` accepts it.
 */
export interface Subscribable<T> {
  /**
   * Subscribes to the value.
   *
   * @param observerOrNext - A function that gets each value, or an observer.
   * @param onError - Gets each error. An error does not end the subscription: values may follow.
   * @returns The subscription, which the caller ends.
   */
  subscribe(
    observerOrNext?: Observer<T> | ((value: T) => void) | null,
    onError?: ((error: unknown) => void) | null,
  ): Subscription
  /** RxJS' `from` and others recognise an observable by this method. */
  [Symbol.observable]: () => Subscribable<T>
}
