/** About 10 MB. Above this number, the owners whose last change is oldest are forgotten. */
const mostOwners = 100_000

/**
 * When each owner's profile last changed, since this server started. It tells which owners a returning device must check. The
 * time for that depends on the device's own follows and not on the number of commits since. Otherwise a viewer could count the
 * commits [V10].
 */
export class RecentChanges {
  /** In the order of the last change. */
  #positions = new Map<string, number>()
  #knownSince: number

  /**
   * @param position of the last commit before the first that is recorded
   */
  constructor(position: number) {
    this.#knownSince = position
  }

  note(owner: string, position: number): void {
    this.#positions.delete(owner)
    this.#positions.set(owner, position)
    if (this.#positions.size > mostOwners) this.#forgetOlderHalf()
  }

  /**
   * Returns those of the owners whose profile changed after a position. Returns `undefined` if the position is too old to tell.
   */
  amongSince(owners: readonly string[], position: number): string[] | undefined {
    if (position < this.#knownSince) return undefined
    return owners.filter(owner => (this.#positions.get(owner) ?? 0) > position)
  }

  #forgetOlderHalf(): void {
    for (const [owner, position] of this.#positions) {
      if (this.#positions.size <= mostOwners / 2) return
      this.#positions.delete(owner)
      this.#knownSince = position
    }
  }
}
