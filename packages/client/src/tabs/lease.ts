import type { Clock } from '../clock.ts'
import { holdLock, type LockManagerLike } from './lock.ts'

/**
 * How long a tab that has the socket may act without checking, in milliseconds: well below the silence after which another tab
 * takes over.
 */
const certainMs = 5_000

export interface LeasePort {
  readonly clock: Clock
  readonly locks: LockManagerLike
  /** The name of a lock that only this tab uses. */
  readonly probeName: string
  /** Announces to the other tabs that this one is alive, so that none takes over for a while. */
  announce(): void
}

/**
 * Whether this tab still has the socket. A tab may be suspended at any moment, for as long as an `alert()` is open; meanwhile
 * another tab may take over. So before it acts, a tab checks whether the others have received a message of it within the last
 * seconds. If so, none of them can have taken over. Otherwise, it checks by a lock request: if the lock was stolen, this is
 * reported before any later request is granted.
 */
export class Lease {
  readonly #port: LeasePort
  #certainUntil: number
  #isOver = false
  #verifying: Promise<boolean> | undefined

  /** To be created when the lock was just granted. */
  constructor(port: LeasePort) {
    this.#port = port
    this.#certainUntil = port.clock.elapsed() + certainMs
  }

  get isCertain(): boolean {
    return !this.#isOver && this.#port.clock.elapsed() < this.#certainUntil
  }

  /** The other tabs have just received a message of this one, sent while the lock was certain. */
  extend(): void {
    this.#certainUntil = this.#port.clock.elapsed() + certainMs
  }

  /** Another tab has the lock. */
  end(): void {
    this.#isOver = true
  }

  /** Resolves to whether this tab still has the lock. */
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
