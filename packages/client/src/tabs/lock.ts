import { type OpenTabChannel, platformChannels } from './channel.ts'

/** The subset of `navigator.locks` that tabs use. */
export interface LockManagerLike {
  /**
   * Calls `held` once the lock is the caller's, who keeps it until the promise of `held` settles. With `steal` that is at
   * once: the request of the holder before rejects, before any later request is granted.
   *
   * @param name - The name of the lock.
   * @param options - `signal` ends the request while it waits.
   * @returns Resolves to what `held` resolved to.
   */
  request(name: string, options: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<void>): Promise<unknown>
}

/** What the tabs of one device share beside the database. */
export interface TabPlatform {
  locks: LockManagerLike
  openChannel: OpenTabChannel
}

/**
 * A lock says which tab has the socket, and a channel says whether that tab is alive. Only the platform's own database
 * is shared by tabs, so one that the app passed in has neither, unless the app passes locks. The channel is the platform's
 * then, unless the app passes that too.
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
  /** Another tab has taken the lock away. */
  lost?: () => void
  /** Takes it away from the tab that has it. */
  isStolen?: boolean
}

/** Calls `held` once the lock is this tab's, which then keeps it. Returns a function that gives it back, or stops asking. */
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
  // The platform refuses a signal beside `steal`.
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
