/**
 * Translates the devices' cursors into positions in the store's history. Each opening of the store continues that history. A
 * restored backup ends where it was made. Its store knows none of the later openings, and no cursor from them.
 */
export class Cursors {
  readonly #given = new Map<string, { opening: number; position: number }>()
  #openings = 0
  /** The openings in the store's history, each with the last of its positions that belong to it. */
  #history: ReadonlyMap<number, number> = new Map()

  /** The present opening, under which the server issues cursors. */
  get opening(): number {
    return this.#openings
  }

  /** The store was opened, and that is on its disk. */
  opened(): void {
    this.#openings++
    this.#history = new Map(this.#history).set(this.#openings, Number.POSITIVE_INFINITY)
  }

  /** Saves the history up to this position. Returns a function that restores it. */
  backUp(position: number): () => void {
    const history = [...this.#history].map(([opening, last]) => [opening, Math.min(last, position)] as const)
    return () => {
      this.#history = new Map(history)
    }
  }

  given(cursor: Uint8Array, opening: number, position: number): void {
    this.#given.set(nameOf(cursor), { opening, position })
  }

  /** The position of a cursor; `undefined` if the cursor is not part of the store's history. */
  positionOf(cursor: Uint8Array): number | undefined {
    const given = this.#given.get(nameOf(cursor))
    const last = given && this.#history.get(given.opening)
    return given && last !== undefined && given.position <= last ? given.position : undefined
  }
}

function nameOf(cursor: Uint8Array): string {
  return Buffer.from(cursor).toString('hex')
}
