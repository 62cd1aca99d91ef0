/** As much of `navigator.locks` as tabs need. */
export interface LockManagerLike {
  request(name: string, options: { signal: AbortSignal }, held: () => Promise<void>): Promise<unknown>
}

/**
 * The locks that tell which tab of this device has the socket. Only the platform's own database is shared by tabs, so one
 * that the app passed in has none, unless the app passes locks too.
 */
export function locksFor(
  locks: LockManagerLike | null | undefined,
  indexedDB: IDBFactory,
): LockManagerLike | undefined {
  if (locks !== undefined) return locks ?? undefined
  return indexedDB === globalThis.indexedDB ? globalThis.navigator?.locks : undefined
}

/** Calls `held` once the lock is this tab's, which then keeps it until the function that comes back is called. */
export function holdLock(locks: LockManagerLike, name: string, held: () => void): () => void {
  const abort = new AbortController()
  let release: () => void = () => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const holding = locks.request(name, { signal: abort.signal }, () => {
    if (abort.signal.aborted) return Promise.resolve()
    held()
    return released
  })
  holding.catch((error: unknown) => {
    if (!abort.signal.aborted) throw error
  })
  return () => {
    release()
    abort.abort()
  }
}
