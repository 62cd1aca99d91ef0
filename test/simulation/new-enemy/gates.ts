import type { LevelDatabase } from '@kith/server'
import { batchOfEitherKind } from '../../support/chained-batch.ts'
import { wholeReads } from '../../support/whole-reads.ts'

type Operation = 'batch' | 'getMany' | 'iterator'

interface Gate {
  operation: Operation
  when: 'before' | 'after'
  fits: (keys: readonly string[]) => boolean
  arrive: () => void
  released: Promise<void>
}

/** An operation that is stopped, or will be. */
export interface Stop {
  /** Resolves when the operation has arrived and waits. */
  readonly arrived: Promise<void>
  release(): void
}

interface Methods {
  batch(operations: { key: string }[], options: object): Promise<void>
  getMany(keys: string[]): Promise<unknown>
  iterator(range: { gt: string }): { all(): Promise<unknown[]> }
}

/** Stops single operations of the server's database: before they run, or after they ran but before the result is known. */
export class Gates {
  #gates: Gate[] = []

  constructor(database: LevelDatabase) {
    const gates = this
    // The wrapper around `database` calls these as its own methods.
    const methods = Object.getPrototypeOf(database) as Methods
    Object.assign(database, {
      batch(this: Methods, ...args: [operations?: { key: string }[], options?: object]) {
        return batchOfEitherKind((operations: { key: string }[], options) => {
          const touched = operations.map(({ key }) => key)
          return gates.#pass('batch', touched, () => methods.batch.call(this, operations, options))
        })(...args)
      },
      getMany(this: Methods, keys: string[]) {
        return gates.#pass('getMany', keys, () => methods.getMany.call(this, keys))
      },
      iterator(this: Methods, range: { gt: string }) {
        const iterator = methods.iterator.call(this, range)
        return wholeReads(iterator, all => gates.#pass('iterator', [range.gt], all))
      },
    })
  }

  /** Stops the next operation that fits. `keys`: the keys that it accesses, or the start of its range. */
  stop(operation: Operation, when: 'before' | 'after', fits: (keys: readonly string[]) => boolean): Stop {
    let release: () => void = () => undefined
    const released = new Promise<void>(go => {
      release = go
    })
    const arrived = new Promise<void>(arrive => {
      this.#gates.push({ operation, when, fits, arrive, released })
    })
    return { arrived, release }
  }

  async #pass<T>(operation: Operation, keys: readonly string[], run: () => Promise<T>): Promise<T> {
    const index = this.#gates.findIndex(gate => gate.operation === operation && gate.fits(keys))
    const [gate] = index < 0 ? [] : this.#gates.splice(index, 1)
    if (!gate) return run()
    if (gate.when === 'after') {
      const result = await run()
      gate.arrive()
      await gate.released
      return result
    }
    gate.arrive()
    await gate.released
    return run()
  }
}
