/**
 * The event loop of the simulated world: everything that the engine does by itself, promises, its own turns and those of
 * the databases in memory, runs until nothing is left to do. What waits for the network, the disk or the clock waits for
 * the world. Nothing here depends on how fast the machine is, so the same choices give the same history.
 */
const realSetImmediate = globalThis.setImmediate
const realSetTimeout = globalThis.setTimeout
let waiting = 0

/** Counts what is queued, from now on until the function that comes back is called. */
export function watchLoop(): () => void {
  globalThis.setImmediate = ((task: (...args: unknown[]) => void, ...args: unknown[]) => {
    waiting++
    return realSetImmediate(() => {
      waiting--
      task(...args)
    })
  }) as typeof setImmediate
  // A live query begins with a timer of no time: the next turn does as well, and is not a matter of milliseconds.
  globalThis.setTimeout = ((task: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    ms > 0 ? realSetTimeout(task, ms, ...args) : setImmediate(task, ...args)) as typeof setTimeout
  return () => {
    globalThis.setImmediate = realSetImmediate
    globalThis.setTimeout = realSetTimeout
  }
}

/** As many turns of the loop as there are, to stop the engine in the middle of something. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>(resolve => realSetImmediate(resolve))
}

/** Far more than anything takes that comes to an end. */
const mostTurns = 100_000

/** Resolves when nothing moves any more. */
export async function quiet(): Promise<void> {
  // Two turns, for what waits for the end of a turn without queueing anything.
  for (let calm = 0, turn = 0; calm < 2; turn++) {
    if (turn > mostTurns) throw new Error('the engine never comes to rest')
    await turns(1)
    calm = waiting === 0 ? calm + 1 : 0
  }
}
