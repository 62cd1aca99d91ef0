import type { Commit } from '../relations/commit.ts'

/**
 * The levels of one owner that the commits of a batch changed: their newest fields, and the names of those fields that may be
 * other than before the batch.
 */
export class CommittedLevels {
  readonly #fields: Map<number, Uint8Array> = new Map()
  /** By level and name, whether the level had the field before the batch. Absent if it is not known what the batch changed. */
  readonly #names: Map<number, Map<string, boolean>> = new Map()

  keys(): Iterable<number> {
    return this.#fields.keys()
  }

  /** Adds a commit of the owner. They come in their order. */
  add({ levels, edits }: Pick<Commit, 'levels' | 'edits'>): void {
    for (const [level, fields] of levels) {
      const edit = edits.find(one => one.level === level)
      const names = this.#fields.has(level) ? this.#names.get(level) : new Map<string, boolean>()
      this.#fields.set(level, fields)
      if (edit && names) this.#names.set(level, names)
      else this.#names.delete(level)
      // The first commit that names a field tells whether it was there before all of them.
      for (const name of edit?.changed ?? []) if (!names?.has(name)) names?.set(name, true)
      for (const name of edit?.added ?? []) if (!names?.has(name)) names?.set(name, false)
    }
  }

  /** All fields of a level, as `encodeFields` has them. */
  fields(level: number): Uint8Array {
    return this.#fields.get(level) as Uint8Array
  }

  /**
   * The fields of a level that may be other than before the batch: true for those that the level had before. `undefined` if it
   * is not known, as for a level that was not there before.
   */
  names(level: number): ReadonlyMap<string, boolean> | undefined {
    return this.#names.get(level)
  }
}
