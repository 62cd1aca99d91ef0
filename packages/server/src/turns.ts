/** Resolves when everything that was ready to run has had its turn: sockets, timers, answers of the disk. */
export function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/**
 * Cuts work that grows with what one user owns into slices: between them all others have their turn, so nobody holds the
 * event loop for long [S3]. Counts steps instead of time, so that the same work is cut at the same places.
 */
export class Turns {
  #stepsInTurn: number
  #left: number

  /** So many steps go without a pause: about 5 ms' worth. */
  constructor(stepsInTurn: number) {
    this.#stepsInTurn = stepsInTurn
    this.#left = stepsInTurn
  }

  /** Counts a step. True: it's time to `await pass()`. */
  isOver(): boolean {
    this.#left--
    return this.#left <= 0
  }

  async pass(): Promise<void> {
    this.#left = this.#stepsInTurn
    await othersTurn()
  }
}
