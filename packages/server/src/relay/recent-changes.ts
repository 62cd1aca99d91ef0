/** About 10 MB. Beyond it those of whom nothing was heard for longest are forgotten. */
const mostOwners = 100_000

/**
 * When each owner's profile last changed, since this server began. A device that comes back learns by it what to look at,
 * in a time that depends on its own follows and not on how many commits have passed: else a viewer could count them [V10].
 */
export class RecentChanges {
  /** In the order of their last change. */
  #positions = new Map<string, number>()
  #knownSince: number

  /** @param position of the last commit before the first that is noted */
  constructor(position: number) {
    this.#knownSince = position
  }

  note(owner: string, position: number): void {
    this.#positions.delete(owner)
    this.#positions.set(owner, position)
    if (this.#positions.size > mostOwners) this.#forgetOlderHalf()
  }

  /** Those of the owners whose profile changed after a position; `undefined` when that is too long ago to tell. */
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
