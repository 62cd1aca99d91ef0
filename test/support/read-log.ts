import type { LevelDatabase } from '@kith/server'

interface Reading {
  getMany(keys: string[]): Promise<unknown>
}

/** The keys that the server reads from its database: one list for each read, in order. */
export class ReadLog {
  #reads: string[][] = []

  constructor(database: LevelDatabase) {
    const reads = this.#reads
    const inner = Object.getPrototypeOf(database) as Reading
    Object.assign(database, {
      getMany(this: Reading, keys: string[]) {
        reads.push(keys)
        return inner.getMany.call(this, keys)
      },
    })
  }

  /** Returns the reads since the last call that name this user, with NUL written as `|`. */
  take(user: string): string[] {
    const all = this.#reads.splice(0).map(keys => keys.map(key => key.replaceAll('\u0000', '|')).join(' '))
    return all.filter(keys => keys.split(/[| ]/).includes(user))
  }
}
