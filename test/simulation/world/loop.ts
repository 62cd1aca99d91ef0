/**
 * The event loop of the simulated world. Everything that the engine does automatically runs until nothing is left: promises,
 * its own turns, and those of the databases in memory. Work that waits for the network, the disk or the clock waits for the
 * world. Nothing here depends on the speed of the machine, so the same choices give the same history.
 */
const realSetImmediate = globalThis.setImmediate
const realSetTimeout = globalThis.setTimeout
let waiting = 0

/** Counts queued work from now on. Returns a function that stops counting. */
export function watchLoop(): () => void {
  globalThis.setImmediate = ((task: (...args: unknown[]) => void, ...args: unknown[]) => {
    waiting++
    return realSetImmediate(() => {
      waiting--
      task(...args)
    })
  }) as typeof setImmediate
  // A live query begins with a timer of 0 ms. The next turn serves as well, and does not depend on milliseconds.
  globalThis.setTimeout = ((task: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    ms > 0 ? realSetTimeout(task, ms, ...args) : setImmediate(task, ...args)) as typeof setTimeout
  return () => {
    globalThis.setImmediate = realSetImmediate
    globalThis.setTimeout = realSetTimeout
  }
}

/** Runs this many turns of the loop, to stop the engine in the middle of something. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>(resolve => realSetImmediate(resolve))
}

/** Far more than any work that ends takes. */
const mostTurns = 100_000

/** Resolves when nothing is left to run. */
export async function quiet(): Promise<void> {
  // Two turns, for work that waits for the end of a turn without queueing anything.
  for (let calm = 0, turn = 0; calm < 2; turn++) {
    if (turn > mostTurns) throw new Error('the engine never comes to rest')
    await turns(1)
    calm = waiting === 0 ? calm + 1 : 0
  }
}
