import { encodeDifferenceFrame, encodeProfileFrame } from '@kith/shared/wire'
import type { CommittedLevels } from './committed-levels.ts'
import type { Cursors } from './cursors.ts'
import { type Difference, differenceOf, type Saves } from './difference.ts'

const noCursor = new Uint8Array()

/** The form in which a level is sent: a difference is sent only to a device that holds the level as it was before the batch. */
export interface Form {
  withCursor: boolean
  asDifference: boolean
}

/** The frames of one batch, each encoded once for all receivers: per level, with and without the cursor. */
export class LevelFrames {
  readonly #owner: string
  readonly #levels: CommittedLevels
  readonly #cursors: Cursors
  readonly #saves: Saves
  readonly #differences: Map<number, Difference | undefined> = new Map()
  readonly #encoded: Map<string, Uint8Array> = new Map()

  constructor(owner: string, levels: CommittedLevels, cursors: Cursors, saves: Saves) {
    this.#owner = owner
    this.#levels = levels
    this.#cursors = cursors
    this.#saves = saves
  }

  /** Returns the whole level, or its changes where that is shorter. */
  frame(level: number, { withCursor, asDifference }: Form): Uint8Array {
    const difference = asDifference ? this.#difference(level) : undefined
    const key = `${level} ${withCursor} ${difference !== undefined}`
    const known = this.#encoded.get(key)
    if (known) return known
    const cursor = withCursor ? this.#cursors.seal() : noCursor
    const head = { owner: this.#owner, level, cursor }
    const frame = difference
      ? encodeDifferenceFrame({ ...head, ...difference }, difference.fields)
      : encodeProfileFrame(head, this.#levels.fields(level))
    this.#encoded.set(key, frame)
    return frame
  }

  #difference(level: number): Difference | undefined {
    if (!this.#differences.has(level)) this.#differences.set(level, differenceOf(this.#levels, level, this.#saves))
    return this.#differences.get(level)
  }
}
