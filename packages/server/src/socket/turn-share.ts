import { othersTurn } from '../turns.ts'

/** About 5 ms of work, since a unit takes at most half a millisecond (`cost.ts`). */
const unitsInTurn = 10

/**
 * Limits what one user's frames may cost in one turn of the event loop, over all of the user's sockets. Hundreds of frames
 * arrive in one packet, and together they must not delay all other users [S3]. A frame that costs more than the share of one
 * turn is handled immediately. The user's next frame then waits for as many turns as that cost fills.
 */
export class TurnShare {
  #left = unitsInTurn
  #nextTurn: Promise<void> | undefined

  /** Each frame counts, even one that costs nothing. */
  spend(units: number): void {
    this.#left -= Math.max(1, units)
    this.#nextTurn ??= this.#refill()
  }

  /** If the next frame may not be handled in this turn, resolves in the turn in which it may. Otherwise `undefined`. */
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
