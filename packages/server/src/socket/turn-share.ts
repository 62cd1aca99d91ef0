import { othersTurn } from '../turns.ts'

/** About 5 ms of work, where a unit takes half a millisecond at most (`cost.ts`). */
const unitsInTurn = 10

/**
 * What one user's frames may cost in one turn of the event loop, over all of the user's sockets: hundreds of frames come in
 * one packet, and all of them together must not hold up everyone else [S3]. A frame that costs more than one turn's share is
 * handled at once, and the user's next one as many turns later.
 */
export class TurnShare {
  #left = unitsInTurn
  #nextTurn: Promise<void> | undefined

  /** Each frame counts, also one that costs nothing. */
  spend(units: number): void {
    this.#left -= Math.max(1, units)
    this.#nextTurn ??= this.#refill()
  }

  /** Resolves in the turn in which the next frame may be handled, where that is not this one; else `undefined`. */
  get whenNext(): Promise<void> | undefined {
    return this.#left > 0 ? undefined : this.#nextTurn
  }

  async #refill(): Promise<void> {
    do {
      await othersTurn()
      this.#left = Math.min(unitsInTurn, this.#left + unitsInTurn)
    } while (this.#left <= 0)
    this.#nextTurn = undefined
  }
}
