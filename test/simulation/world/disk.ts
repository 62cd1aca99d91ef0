import type { LevelDatabase } from '@kith/server'
import { MemoryLevel } from 'memory-level'
import { ChainedBatch } from '../../support/chained-batch.ts'
import { decodeNumber, keys } from '../../support/server-internals.ts'
import { type PartsReader, wholeReads } from '../../support/whole-reads.ts'
import type { Seeded } from './seeded.ts'

type Operations = { type: 'put' | 'del'; key: string; value: Uint8Array }[]

/** How the next writes fail: nothing is written, or everything is written and the response is lost. */
export type WriteFault = 'refused' | 'written all the same'

/** Receives the data on disk before any other part does. */
export interface DiskWatcher {
  /** The store was opened. */
  opened(): void
  written(position: number): void
}

/** The share of reads that wait, while the disk is slow. */
const slowReads = 0.3

/**
 * The server's disk. Its data outlives the server. While it is slow, responses wait until the world releases them. A server can
 * therefore be stopped between any two steps of a commit, and other events can happen between a read and its use.
 */
export class Disk {
  /** The data on disk. */
  readonly inner: LevelDatabase = new MemoryLevel<string, Uint8Array>({
    keyEncoding: 'utf8',
    valueEncoding: 'view',
  }) as unknown as LevelDatabase
  isSlow = false
  readonly #randomness: Seeded
  readonly #watcher: DiskWatcher
  #waiting: (() => void)[] = []
  #faults: WriteFault[] = []
  #power: object = {}

  constructor(randomness: Seeded, watcher: DiskWatcher) {
    this.#randomness = randomness
    this.#watcher = watcher
  }

  /** How many responses wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Releases one of the waiting responses. */
  step(index: number): void {
    this.#waiting.splice(index, 1)[0]?.()
  }

  failNextWrite(fault: WriteFault): void {
    this.#faults.push(fault)
  }

  /** None of a server's pending disk operations completes. */
  powerOff(): void {
    this.#waiting = []
    this.#faults = []
    this.#power = {}
  }

  /** Copies the data. Resolves to a function that restores it. No server may use the disk meanwhile. */
  async copy(): Promise<() => Promise<void>> {
    const entries = await this.inner.iterator().all()
    return async () => {
      await this.inner.clear()
      await this.inner.batch(entries.map(([key, value]) => ({ type: 'put' as const, key, value })))
    }
  }

  /** All operations pass again. */
  heal(): void {
    this.isSlow = false
    this.#faults = []
    for (const go of this.#waiting.splice(0)) go()
  }

  /** The disk as one server sees it. */
  mount(): LevelDatabase {
    const { inner } = this
    const power = this.#power
    const wait = (chance: number): Promise<void> => this.#wait(power, chance)
    const own: Record<string, unknown> = {
      batch: (operations?: Operations) =>
        operations ? this.#write(power, operations) : new ChainedBatch(all => this.#write(power, all as Operations)),
      getMany: async (wanted: string[], options: object = {}) => {
        const found = await inner.getMany(wanted, options)
        await wait(slowReads)
        return found
      },
      get: async (wanted: string) => {
        const found = await inner.get(wanted)
        await wait(slowReads)
        return found
      },
      // A snapshot of the present state, like LevelDB's own.
      iterator: (range: object) => later(inner.iterator(range), wait),
      keys: (range: object) => later(inner.keys(range), wait),
      open: async () => undefined,
      close: async () => undefined,
    }
    return new Proxy(inner, {
      get(target, name) {
        if (typeof name === 'string' && Object.hasOwn(own, name)) return own[name]
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async #write(power: object, operations: Operations): Promise<void> {
    await this.#wait(power, 1)
    const fault = this.#faults.shift()
    if (fault === 'refused') throw new Error('the disk is full')
    await this.inner.batch(operations, {})
    for (const { type, key, value } of operations) {
      if (type === 'put' && key === keys.position) this.#watcher.written(decodeNumber(value))
      if (type === 'put' && key === keys.runs) this.#watcher.opened()
    }
    if (fault) throw new Error('the disk said nothing')
    await this.#wait(power, 1)
  }

  async #wait(power: object, chance: number): Promise<void> {
    if (power !== this.#power) await new Promise<never>(() => undefined)
    if (!this.isSlow || this.#randomness.fraction() >= chance) return
    await new Promise<void>(go => this.#waiting.push(go))
    if (power !== this.#power) await new Promise<never>(() => undefined)
  }
}

function later<T>(reader: { all(): Promise<T[]> }, wait: (chance: number) => Promise<void>): PartsReader<T> {
  const begun = reader.all()
  return wholeReads({ all: () => begun }, async all => {
    const found = await all()
    await wait(slowReads)
    return found
  })
}
