/** What a batch writes to one user's records of one kind. */
interface Written<Key, Value> {
  /** All stored records are removed. */
  isCleared: boolean
  written: Map<Key, Value>
}

/**
 * What a batch writes to one kind of record, overlaid on what is stored. For each user, it writes some records, or removes all
 * of them first.
 */
export class Family<Key, Value> {
  readonly #byUser: Map<string, Written<Key, Value>> = new Map()

  write(user: string, key: Key, value: Value): void {
    this.#of(user).written.set(key, value)
  }

  /** Removes all records of the user: the stored ones, and those that the batch wrote before. */
  clear(user: string): void {
    const own = this.#of(user)
    own.isCleared = true
    own.written.clear()
  }

  /** Returns the record after the batch. `undefined` if the batch does not touch the record, so the stored one remains. */
  find(user: string, key: Key): { value: Value | undefined } | undefined {
    const own = this.#byUser.get(user)
    if (own?.written.has(key)) return { value: own.written.get(key) }
    return own?.isCleared ? { value: undefined } : undefined
  }

  /** The users for whom anything is written or removed. */
  users(): Iterable<string> {
    return this.#byUser.keys()
  }

  /** The users whose records are removed. */
  *cleared(): Iterable<string> {
    for (const [user, { isCleared }] of this.#byUser) if (isCleared) yield user
  }

  *written(): Iterable<[user: string, key: Key, value: Value]> {
    for (const [user, { written }] of this.#byUser) for (const [key, value] of written) yield [user, key, value]
  }

  /** The number of records that are written. */
  get size(): number {
    let size = 0
    for (const { written } of this.#byUser.values()) size += written.size
    return size
  }

  #of(user: string): Written<Key, Value> {
    const known = this.#byUser.get(user)
    if (known) return known
    const own = { isCleared: false, written: new Map<Key, Value>() }
    this.#byUser.set(user, own)
    return own
  }
}
