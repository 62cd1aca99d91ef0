import { KithError } from '@kith/shared'
import { lastPending, pendingEntries } from '../database/outbox.ts'
import type { DeviceStore } from '../database/store.ts'

interface Waiter {
  /** The last change that the call waits for. */
  upTo: number
  /** A barrier for it was sent and is not acknowledged. */
  isAsking: boolean
  resolve(): void
  reject(error: KithError): void
}

/** The pending `whenSynced` calls. They outlive sessions, and wait while there is none. */
export class SyncWaiters {
  readonly #store: DeviceStore
  readonly #waiters: Set<Waiter> = new Set()
  #unreported: KithError | undefined
  /** Why waiting is pointless until the app connects again. */
  #stopped: KithError | undefined
  #ended: KithError | undefined

  constructor(store: DeviceStore) {
    this.#store = store
  }

  async wait(signal: AbortSignal | undefined, onWaiting: () => void): Promise<void> {
    if (signal?.aborted) throw aborted(signal)
    await this.#store.idle()
    const refusal = this.#unreported
    this.#unreported = undefined
    if (refusal) throw refusal
    const upTo = await lastPending(this.#store)
    if (this.#ended) throw this.#ended
    if (this.#stopped) throw this.#stopped
    let onAbort: () => void = () => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const waiter: Waiter = { upTo, isAsking: false, resolve, reject }
        onAbort = () => {
          this.#waiters.delete(waiter)
          reject(aborted(signal))
        }
        if (signal?.aborted) return onAbort()
        signal?.addEventListener('abort', onAbort)
        this.#waiters.add(waiter)
        onWaiting()
      })
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Raises a barrier for the calls whose changes have all been acknowledged. */
  async progress(raiseBarrier: () => Promise<boolean>): Promise<void> {
    if (![...this.#waiters].some(waiter => !waiter.isAsking)) return
    const [first] = await this.#store.use(db => pendingEntries(db, 1))
    const due = [...this.#waiters].filter(waiter => !waiter.isAsking && waiter.upTo < (first?.seq ?? Infinity))
    if (due.length === 0) return
    for (const waiter of due) waiter.isAsking = true
    try {
      await raiseBarrier()
    } catch (error) {
      for (const waiter of due) waiter.isAsking = false // They wait for the next session.
      throw error
    }
    for (const waiter of due) {
      if (this.#waiters.delete(waiter)) waiter.resolve()
    }
  }

  /** Unsent changes were made again and now have other numbers. */
  async renumber(): Promise<void> {
    const last = await lastPending(this.#store)
    for (const waiter of this.#waiters) waiter.upTo = Math.max(waiter.upTo, last)
  }

  /** A refusal rejects all pending calls, or if there are none, the next call, once [D5]. */
  refuse(error: KithError): void {
    if (this.#waiters.size === 0) this.#unreported ??= error
    this.#rejectAll(error)
  }

  /** The link has stopped, and continues only when the app connects again; until then, calls reject. */
  stop(error: KithError): void {
    this.#stopped = error
    this.#rejectAll(error)
  }

  /** The app connects again. */
  resume(): void {
    this.#stopped = undefined
  }

  end(error: KithError): void {
    this.#ended = error
    this.#rejectAll(error)
  }

  #rejectAll(error: KithError): void {
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters.clear()
  }
}

export function aborted(signal: AbortSignal | undefined): KithError {
  return new KithError('aborted', 'The wait was aborted', { cause: signal?.reason })
}
