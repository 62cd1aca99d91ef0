import { othersTurn } from '../turns.ts'

/** About 5 ms of work, where a unit takes half a millisecond at most (`cost.ts`). */
const unitsInTurn = 10

/**
 * What one user's frames may cost in one turn of the event loop, over all of the user's sockets: hundreds of frames come in
 * one packet, and all of them together must not hold up everyone else [S3].
 */
export class TurnShare {
  #left = unitsInTurn
  #nextTurn: Promise<void> | undefined

  /** Each frame counts, also one that costs nothing. */
  spend(units: number): void {
    this.#left -= Math.max(1, units)
    this.#nextTurn ??= othersTurn().then(() => {
      this.#left = unitsInTurn
      this.#nextTurn = undefined
    })
  }

  /** Resolves in the next turn, where this turn's share is spent; else `undefined`. */
  get whenNext(): Promise<void> | undefined {
    return this.#left > 0 ? undefined : this.#nextTurn
  }
}
