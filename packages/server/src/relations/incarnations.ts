import { createHmac, randomBytes } from 'node:crypto'

/** How a device's incarnation of an account relates to the account that the store has. */
export type IncarnationState =
  /** It is the present one. */
  | 'current'
  /** The device has not synced with this store: the device is new, or the store that it synced with was lost. */
  | 'unknown'
  /** The account that the device synced with was erased. */
  | 'ended'
  /** This store was restored from a backup that is older than the erasure with which the device's incarnation began. */
  | 'later'

const nameBytes = 8
const keyBytes = 24
const tagBytes = 8
/** For an id that was erased more often, the search stops at this number, because it costs time. */
const mostLookedThrough = 2_000

/**
 * Names the incarnations of accounts [D7]. A store has its own name and key, made once. Both are kept in its backups, and are
 * lost with the store. An incarnation consists of the store's name and a tag of the user id and the number of erasures. So it
 * reveals neither a count nor anything else [V10], and no device can forge one.
 */
export class Incarnations {
  readonly #name: Uint8Array
  readonly #key: Uint8Array

  constructor(identity: Uint8Array) {
    this.#name = identity.subarray(0, nameBytes)
    this.#key = identity.subarray(nameBytes)
  }

  /** The identity of a new store. */
  static newIdentity(): Uint8Array {
    return new Uint8Array(randomBytes(nameBytes + keyBytes))
  }

  /** Returns the incarnation that a device of the user declares if it synced with the account after this number of erasures. */
  of(user: string, erasures: number): Uint8Array {
    return new Uint8Array(Buffer.concat([this.#name, this.#tag(user, erasures)]))
  }

  /** Returns the same for other users' rosters, which confirm it: 11 characters of base64url. */
  tokenOf(user: string, erasures: number): string {
    return this.#tag(user, erasures).toString('base64url')
  }

  /** Returns how a device's incarnation relates to the account, which has been erased this number of times. */
  stateOf(declared: Uint8Array, user: string, erasures: number): IncarnationState {
    if (declared.length !== nameBytes + tagBytes) return 'unknown'
    if (Buffer.compare(declared.subarray(0, nameBytes), this.#name) !== 0) return 'unknown'
    const tag = declared.subarray(nameBytes)
    const last = Math.max(0, erasures - mostLookedThrough)
    for (let number = erasures; number >= last; number--) {
      if (Buffer.compare(tag, this.#tag(user, number)) === 0) return number === erasures ? 'current' : 'ended'
    }
    return 'later'
  }

  #tag(user: string, erasures: number): Buffer {
    const hash = createHmac('sha256', this.#key).update(`${erasures}\u0000${user}`)
    return hash.digest().subarray(0, tagBytes)
  }
}
