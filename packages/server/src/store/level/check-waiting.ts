/** A relation, as it is stored. */
export interface StoredRelation {
  user: string
  other: string
  bytes: Uint8Array
}

/** Relations that wait until the other user is read. Users must be read in the order of the keys. */
export class WaitingRelations {
  /** By the user who is read later, then by the user of the relation. */
  readonly #byOther = new Map<string, Map<string, Uint8Array>>()
  readonly #most: number
  #size = 0

  /** `most`: the number of relations for which there is room. */
  constructor(most: number) {
    this.#most = most
  }

  /** Returns false if there is no room. */
  add({ user, other, bytes }: StoredRelation): boolean {
    if (this.#size >= this.#most) return false
    const ofOther = this.#byOther.get(other)
    if (ofOther) ofOther.set(user, bytes)
    else this.#byOther.set(other, new Map([[user, bytes]]))
    this.#size++
    return true
  }

  /** Removes and returns the relations that waited for this user, by their users. */
  take(other: string): Map<string, Uint8Array> {
    const found = this.#byOther.get(other)
    if (!found) return new Map()
    this.#byOther.delete(other)
    this.#size -= found.size
    return found
  }

  *takeAll(): Iterable<StoredRelation> {
    for (const other of [...this.#byOther.keys()]) {
      for (const [user, bytes] of this.take(other)) yield { user, other, bytes }
    }
  }
}
