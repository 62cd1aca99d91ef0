import type { NodeName, NodeTable, Standing } from './server-internals.ts'

/** A table of nodes in memory. A test sets the state of the other nodes, and can hold or fail the table's responses. */
export class TestTable implements NodeTable {
  /** The queries that it received, in order. */
  readonly asked: string[] = []
  others: Standing = { isSettled: true, applied: undefined, hasGone: false }
  headNow = 0
  /** Whether this node's row exists and its lease has not expired. */
  isIn = true
  /** If set, queries fail with this error. */
  failure: Error | undefined
  #isHeld = false
  #held: (() => void)[] = []
  #joined = 0

  /** From now on responses wait. */
  hold(): void {
    this.#isHeld = true
  }

  /** Releases the waiting responses. Later queries are answered immediately. */
  async release(): Promise<void> {
    this.#isHeld = false
    for (const go of this.#held.splice(0)) go()
    await settled()
  }

  async #answer<T>(question: string, answer: () => T): Promise<T> {
    this.asked.push(question)
    if (this.#isHeld) await new Promise<void>(resolve => this.#held.push(resolve))
    if (this.failure) throw this.failure
    return answer()
  }

  renew = ({ id }: NodeName, applied: number): Promise<boolean> =>
    this.#answer(`renew ${id} at ${applied}`, () => this.isIn)

  join = (id: number | undefined, key: string, applied: number): Promise<NodeName> =>
    this.#answer(`join ${id ?? 'anew'} at ${applied}`, () => {
      this.isIn = true
      return { id: id ?? ++this.#joined, key }
    })

  leave = ({ id }: NodeName): Promise<void> => this.#answer(`leave ${id}`, () => undefined)
  head = (): Promise<number> => this.#answer('head', () => this.headNow)
  standing = (id: number): Promise<Standing> => this.#answer(`standing beside ${id}`, () => this.others)

  removeGone = (id: number): Promise<void> =>
    this.#answer(`remove gone beside ${id}`, () => {
      this.others = { ...this.others, applied: undefined, hasGone: false }
    })

  /** There is only one database. */
  lookElsewhere = (): Promise<void> => Promise.resolve()

  sayApplied = ({ id }: NodeName, position: number): Promise<void> =>
    this.#answer(`${id} has applied ${position}`, () => undefined)
}

/** Resolves when everything has run that does not wait for a clock. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise(resolve => setImmediate(resolve))
}

/** Resolves to whether a promise is settled, once everything has run that does not wait for a clock. */
export async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  promise.then(settle, settle)
  await settled()
  return isSettled
}
