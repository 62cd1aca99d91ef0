import type { Clock } from '../clock.ts'
import { holdLock, type LockManagerLike } from './lock.ts'

/**
 * For how long a tab that has the socket may act on what it knew, in milliseconds: well below the silence after which
 * another tab takes over.
 */
const certainMs = 5_000

export interface LeasePort {
  readonly clock: Clock
  readonly locks: LockManagerLike
  /** A name of this tab's alone. */
  readonly probeName: string
  /** Lets the other tabs hear that this one is alive, so that none takes over for a while. */
  announce(): void
}

/**
 * Whether this tab still has the socket. A tab may stand still at any moment, in the middle of anything, for as long as an
 * `alert()` is open; meanwhile another tab takes over. Before it acts a tab asks: has it been heard by the others within the
 * last seconds? Then none of them can have taken over. Otherwise it makes sure, by a lock request: that the lock was stolen
 * is reported before any later request is granted.
 */
export class Lease {
  readonly #port: LeasePort
  #certainUntil: number
  #isOver = false
  #verifying: Promise<boolean> | undefined

  /** The lock was just granted. */
  constructor(port: LeasePort) {
    this.#port = port
    this.#certainUntil = port.clock.elapsed() + certainMs
  }

  get isCertain(): boolean {
    return !this.#isOver && this.#port.clock.elapsed() < this.#certainUntil
  }

  /** The other tabs have just received a message of this one, which was certain. */
  extend(): void {
    this.#certainUntil = this.#port.clock.elapsed() + certainMs
  }

  /** The lock is another tab's. */
  end(): void {
    this.#isOver = true
  }

  /** Resolves to whether the lock is still this tab's. */
  async verify(): Promise<boolean> {
    if (this.isCertain) return true
    this.#verifying ??= this.#verify()
    return this.#verifying
  }

  async #verify(): Promise<boolean> {
    const { locks, probeName } = this.#port
    await new Promise<void>(resolve => {
      const release = holdLock(locks, probeName, () => {
        resolve()
        queueMicrotask(() => release())
      })
    })
    this.#verifying = undefined
    if (this.#isOver) return false
    this.extend()
    this.#port.announce()
    return true
  }
}
