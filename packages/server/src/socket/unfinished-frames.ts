import type { Limits } from '@kith/shared'

/** A frame that is larger than any limit allows is closed by its own code, as soon as its size is known. */
const leastUnfinishedBytes = 128 * 1024

/** Two of the largest frames. */
export function mostUnfinishedBytes({ rosterBytes, frameBytes }: Pick<Limits, 'rosterBytes' | 'frameBytes'>): number {
  return Math.max(2 * rosterBytes, 2 * frameBytes, leastUnfinishedBytes)
}

interface Of<S> {
  bytesBySession: Map<S, number>
  /** Of all of them. */
  bytes: number
}

/** What has come of frames that are not whole, by address: bounded, for all users of the address together [S3]. */
export class UnfinishedFrames<S> {
  readonly #mostBytes: number
  readonly #byAddress: Map<string, Of<S>> = new Map()

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** How many addresses have any. */
  get size(): number {
    return this.#byAddress.size
  }

  /** A session has so many bytes of frames that are not whole; 0: none, or it has ended. */
  note(address: string, session: S, bytes: number): void {
    const all = this.#byAddress.get(address) ?? { bytesBySession: new Map<S, number>(), bytes: 0 }
    all.bytes += bytes - (all.bytesBySession.get(session) ?? 0)
    if (bytes > 0) all.bytesBySession.set(session, bytes)
    else all.bytesBySession.delete(session)
    if (all.bytesBySession.size > 0) this.#byAddress.set(address, all)
    else this.#byAddress.delete(address)
  }

  /** Of an address that has too many, the session with most: small frames of others who share the address go on. */
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
