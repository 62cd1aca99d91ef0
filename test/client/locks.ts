import type { LockManagerLike } from '@kith/client'

/** Web Locks of one browser profile: each name is held by one at a time, in the order of asking. */
export class Locks implements LockManagerLike {
  readonly #last = new Map<string, Promise<unknown>>()

  request(name: string, { signal }: { signal: AbortSignal }, held: () => Promise<void>): Promise<unknown> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const run = before.then(() => {
      if (signal.aborted) throw signal.reason
      return held()
    })
    this.#last.set(
      name,
      run.catch(() => undefined),
    )
    return run
  }
}
