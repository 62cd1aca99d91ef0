/** What a batch writes of one user's records of a kind. */
interface Written<Key, Value> {
  /** All that was stored goes. */
  isCleared: boolean
  written: Map<Key, Value>
}

/** What a batch writes of one kind of record, over what is stored: some records of each user, or first the removal of all. */
export class Family<Key, Value> {
  readonly #byUser: Map<string, Written<Key, Value>> = new Map()

  write(user: string, key: Key, value: Value): void {
    this.#of(user).written.set(key, value)
  }

  /** Removes all of the user's: those that are stored, and those that the batch wrote before. */
  clear(user: string): void {
    const own = this.#of(user)
    own.isCleared = true
    own.written.clear()
  }

  /** What the batch leaves there; `undefined` for a record that it does not touch, which is as it is stored. */
  find(user: string, key: Key): { value: Value | undefined } | undefined {
    const own = this.#byUser.get(user)
    if (own?.written.has(key)) return { value: own.written.get(key) }
    return own?.isCleared ? { value: undefined } : undefined
  }

  /** The users of whom anything is written or removed. */
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

  /** How many records are written. */
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
