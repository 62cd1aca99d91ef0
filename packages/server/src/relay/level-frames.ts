import { encodeProfileFrame } from '@kith/shared/wire'
import type { Cursors } from './cursors.ts'

const noCursor = new Uint8Array()

/** The frames of one commit, each encoded once for all who get it: one per level, with and without the cursor. */
export class LevelFrames {
  #owner: string
  #fields: ReadonlyMap<number, Uint8Array>
  #cursors: Cursors
  #encoded = new Map<string, Uint8Array>()

  constructor(owner: string, fields: ReadonlyMap<number, Uint8Array>, cursors: Cursors) {
    this.#owner = owner
    this.#fields = fields
    this.#cursors = cursors
  }

  frame(level: number, withCursor: boolean): Uint8Array {
    const key = `${level} ${withCursor}`
    const known = this.#encoded.get(key)
    if (known) return known
    const cursor = withCursor ? this.#cursors.seal() : noCursor
    const owner = this.#owner
    const frame = encodeProfileFrame({ owner, level, cursor }, this.#fields.get(level) as Uint8Array)
    this.#encoded.set(key, frame)
    return frame
  }
}
