import type { Commit } from '../relations/commit.ts'

/**
 * The levels of one owner that the commits of a batch changed: their newest fields, and the names of the fields that may differ
 * from before the batch.
 */
export class CommittedLevels {
  readonly #fields: Map<number, Uint8Array> = new Map()
  /** By level and name: whether the level had the field before the batch. Absent if the changes of the batch are not known. */
  readonly #names: Map<number, Map<string, boolean>> = new Map()

  keys(): Iterable<number> {
    return this.#fields.keys()
  }

  /** Adds a commit of the owner. Commits must be added in their order. */
  add({ levels, edits }: Pick<Commit, 'levels' | 'edits'>): void {
    for (const [level, fields] of levels) {
      const edit = edits.find(one => one.level === level)
      const names = this.#fields.has(level) ? this.#names.get(level) : new Map<string, boolean>()
      this.#fields.set(level, fields)
      if (edit && names) this.#names.set(level, names)
      else this.#names.delete(level)
      // The first commit that names a field decides whether the field existed before all of them.
      for (const name of edit?.changed ?? []) if (!names?.has(name)) names?.set(name, true)
      for (const name of edit?.added ?? []) if (!names?.has(name)) names?.set(name, false)
    }
  }

  /** Returns all fields of a level, in the format of `encodeFields`. */
  fields(level: number): Uint8Array {
    return this.#fields.get(level) as Uint8Array
  }

  /**
   * Returns the fields of a level that may differ from before the batch. The value is true if the level had the field before.
   * Returns `undefined` if that is not known, for example for a level that did not exist before.
   */
  names(level: number): ReadonlyMap<string, boolean> | undefined {
    return this.#names.get(level)
  }
}
