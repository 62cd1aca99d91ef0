import { randomBytes } from 'node:crypto'
import { decodeText, encodeText } from './record-codec.ts'

/** One opening of the store. Positions after `start` were assigned under this id, until the next run began. */
interface Run {
  id: string
  start: number
}

/** A device that was away for more restarts than this gets everything again. */
const mostRuns = 1000

/**
 * The store's history, run by run. A store that was restored from a backup assigns positions a second time, to other commits.
 * Cursors that refer to the first commit at a position must not be taken for cursors of the second. So each opening has its own
 * id, and a cursor of an earlier run is valid up to the start of the next run, and no further.
 */
export class Runs {
  readonly #runs: readonly Run[]

  private constructor(runs: readonly Run[]) {
    this.#runs = runs
  }

  /** The stored runs of a store, with a new one that begins at this position. */
  static begin(stored: Uint8Array | undefined, position: number): Runs {
    const earlier = stored ? (JSON.parse(decodeText(stored)) as Run[]) : []
    return new Runs([...earlier, { id: randomBytes(8).toString('hex'), start: position }].slice(-mostRuns))
  }

  encode(): Uint8Array {
    return encodeText(JSON.stringify(this.#runs))
  }

  /** 8 bytes that name the present run. */
  get current(): Uint8Array {
    return new Uint8Array(Buffer.from(this.#runs.at(-1)?.id ?? '', 'hex'))
  }

  /**
   * Returns the position up to which a cursor of that run is valid: `Infinity` for the present run, `undefined` for a run that
   * this store never had.
   */
  reachOf(run: Uint8Array): number | undefined {
    const id = Buffer.from(run).toString('hex')
    const index = this.#runs.findIndex(other => other.id === id)
    if (index < 0) return undefined
    return this.#runs[index + 1]?.start ?? Number.POSITIVE_INFINITY
  }
}
