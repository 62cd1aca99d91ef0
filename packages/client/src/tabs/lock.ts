import { type OpenTabChannel, platformChannels } from './channel.ts'

/** The subset of `navigator.locks` that tabs use. */
export interface LockManagerLike {
  /**
   * Calls `held` once the lock is granted to the caller, who keeps it until the promise of `held` settles. With `steal` it is
   * granted immediately: the request of the previous holder rejects before any later request is granted.
   *
   * @param name - The name of the lock.
   * @param options - `signal` ends the request while it waits.
   * @returns Resolves to the result of `held`.
   */
  request(name: string, options: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<void>): Promise<unknown>
}

/** What the tabs of one device share besides the database. */
export interface TabPlatform {
  locks: LockManagerLike
  openChannel: OpenTabChannel
}

/**
 * A lock shows which tab has the socket, and a channel shows whether that tab is alive. Tabs share only the platform's own
 * database. So for a database that the app passed there is neither, unless the app passes locks. The channel is then the
 * platform's, unless the app passes a channel too.
 */
export function tabPlatform(
  locks: LockManagerLike | null | undefined,
  openChannel: OpenTabChannel | undefined,
  indexedDB: IDBFactory,
): TabPlatform | undefined {
  if (locks === null) return undefined
  const isShared = indexedDB === globalThis.indexedDB
  const found = {
    locks: locks ?? (isShared ? globalThis.navigator?.locks : undefined),
    openChannel: openChannel ?? (isShared || locks ? platformChannels() : undefined),
  }
  return found.locks && found.openChannel ? (found as TabPlatform) : undefined
}

export interface LockOptions {
  /** Another tab has stolen the lock. */
  lost?: () => void
  /** Steals the lock from the tab that has it. */
  isStolen?: boolean
}

/**
 * Calls `held` once this tab has the lock, which it then keeps. Returns a function that releases it, or cancels the request.
 */
export function holdLock(
  locks: LockManagerLike,
  name: string,
  held: () => void,
  { lost, isStolen = false }: LockOptions = {},
): () => void {
  const abort = new AbortController()
  let isHeld = false
  let release: () => void = () => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  // The platform rejects a signal together with `steal`.
  const holding = locks.request(name, isStolen ? { steal: true } : { signal: abort.signal }, () => {
    if (abort.signal.aborted) return Promise.resolve()
    isHeld = true
    held()
    return released
  })
  holding.catch((error: unknown) => {
    if (abort.signal.aborted) return
    if (!isHeld || !lost) throw error
    lost()
  })
  return () => {
    release()
    abort.abort()
  }
}
