/** The observer of a live query. */
export interface QueryObserver<T> {
  next(value: T): void
  error(error: unknown): void
}
