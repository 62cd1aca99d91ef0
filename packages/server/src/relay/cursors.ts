import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Store } from '../relations/store.ts'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const runBytes = 8
const positionBytes = 8
const tagBytes = 16
/** All cursors have this size, so the size of a frame reveals neither a position nor a count [V10]. */
const cursorBytes = nonceBytes + runBytes + positionBytes + tagBytes

/**
 * How far a device has read its feed: the store's run and a position, sealed with a key of the store. For a device, a cursor is
 * random bytes: two cursors of one position differ, and two cursors do not reveal how many commits lie between them [V10].
 *
 *   nonce (12 random bytes) | AES-256-GCM (run, 8 bytes | position, 8 bytes, big-endian) | tag (16 bytes)
 *
 * A cursor names no user: it is stored in a database that belongs to one user, and the server checks everything that it hands
 * over. So one cursor serves all receivers of a commit.
 */
export class Cursors {
  /** Set while a commit is being processed. */
  #held: number | undefined
  readonly #store: Pick<Store, 'run' | 'reachOf' | 'position'>
  readonly #key: KeyObject

  constructor(store: Pick<Store, 'run' | 'reachOf' | 'position' | 'cursorKey'>) {
    this.#store = store
    this.#key = createSecretKey(store.cursorKey)
  }

  /** The position that new cursors cover. */
  get position(): number {
    return this.#held ?? this.#store.position
  }

  /**
   * Until {@link release} is called, no new cursor covers more than this position, because later commits are still being
   * processed.
   */
  hold(position: number): void {
    this.#held = position
  }

  release(): void {
    this.#held = undefined
  }

  /** Returns a new cursor for the current position. */
  seal(): Uint8Array {
    const plain = Buffer.alloc(runBytes + positionBytes)
    plain.set(this.#store.run)
    plain.writeBigUInt64BE(BigInt(this.position), runBytes)
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv(algorithm, this.#key, nonce)
    const sealed = [nonce, cipher.update(plain), cipher.final()]
    return new Uint8Array(Buffer.concat([...sealed, cipher.getAuthTag()]))
  }

  /**
   * Returns the position if the cursor belongs to this store's history, is not from its future, and is not older than `oldest`.
   */
  positionOf(cursor: Uint8Array, oldest: number): number | undefined {
    const plain = this.#open(cursor)
    const reach = plain && this.#store.reachOf(plain.subarray(0, runBytes))
    if (!plain || reach === undefined) return undefined
    const position = Number(plain.readBigUInt64BE(runBytes))
    return position <= Math.min(reach, this.#store.position) && position >= oldest ? position : undefined
  }

  #open(cursor: Uint8Array): Buffer | undefined {
    if (cursor.length !== cursorBytes) return undefined
    const decipher = createDecipheriv(algorithm, this.#key, cursor.subarray(0, nonceBytes))
    decipher.setAuthTag(cursor.subarray(-tagBytes))
    const plain = decipher.update(cursor.subarray(nonceBytes, -tagBytes))
    try {
      return Buffer.concat([plain, decipher.final()])
    } catch {
      // A device may send any bytes as its cursor. This store did not seal these bytes.
      return undefined
    }
  }
}
