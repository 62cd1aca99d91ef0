import { decodeFields, encodeFrame } from '@kith/shared/wire'
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
    const frame = profileFrame(this.#owner, level, this.#fields.get(level) as Uint8Array, cursor)
    this.#encoded.set(key, frame)
    return frame
  }
}

/** The message for one level as it stands on disk. */
export function profileFrame(owner: string, level: number, fields: Uint8Array, cursor: Uint8Array): Uint8Array {
  return encodeFrame({ type: 'profile', owner, level, fields: decodeFields(fields), cursor })
}
