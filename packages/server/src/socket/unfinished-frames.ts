import type { Limits } from '@kith/shared'

/** A frame that is larger than any limit is closed with its own code as soon as its size is known. */
const leastUnfinishedBytes = 128 * 1024

/** Two of the largest frames. */
export function mostUnfinishedBytes({ rosterBytes, frameBytes }: Pick<Limits, 'rosterBytes' | 'frameBytes'>): number {
  return Math.max(2 * rosterBytes, 2 * frameBytes, leastUnfinishedBytes)
}

interface Of<S> {
  bytesBySession: Map<S, number>
  /** The total over all sessions. */
  bytes: number
}

/** The received bytes of incomplete frames, by address. They are bounded for all users of an address together [S3]. */
export class UnfinishedFrames<S> {
  readonly #mostBytes: number
  readonly #byAddress: Map<string, Of<S>> = new Map()

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** The number of addresses with incomplete frames. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Sets the bytes of incomplete frames of a session. 0: there are none, or the session has ended. */
  note(address: string, session: S, bytes: number): void {
    const all = this.#byAddress.get(address) ?? { bytesBySession: new Map<S, number>(), bytes: 0 }
    all.bytes += bytes - (all.bytesBySession.get(session) ?? 0)
    if (bytes > 0) all.bytesBySession.set(session, bytes)
    else all.bytesBySession.delete(session)
    if (all.bytesBySession.size > 0) this.#byAddress.set(address, all)
    else this.#byAddress.delete(address)
  }

  /** If an address has too many, returns its session with the most. Small frames of other users of the address can continue. */
  largestBeyond(address: string): S | undefined {
    const all = this.#byAddress.get(address)
    if (!all || all.bytes <= this.#mostBytes) return undefined
    let largest: S | undefined
    let most = 0
    for (const [session, bytes] of all.bytesBySession) {
      if (bytes <= most) continue
      most = bytes
      largest = session
    }
    return largest
  }
}
