import type { LockManagerLike } from '@kith/client'

interface Request {
  name: string
  held: () => Promise<void>
  resolve: () => void
  reject: (reason: unknown) => void
}

/**
 * The Web Locks of one browser profile. Each name has one holder at a time, in the order of requests, unless the lock is
 * stolen.
 */
export class Locks implements LockManagerLike {
  readonly #holders = new Map<string, Request>()
  #queue: Request[] = []

  request(
    name: string,
    { signal, steal }: { signal?: AbortSignal; steal?: boolean },
    held: () => Promise<void>,
  ): Promise<unknown> {
    return new Promise<void>((resolve, reject) => {
      const request = { name, held, resolve, reject }
      signal?.addEventListener('abort', () => {
        if (this.#queue.includes(request)) reject(signal.reason)
        this.#queue = this.#queue.filter(other => other !== request)
      })
      if (steal) {
        this.#holders.get(name)?.reject(new DOMException('The lock was stolen', 'AbortError'))
        this.#holders.delete(name)
        this.#queue.unshift(request)
      } else this.#queue.push(request)
      this.#grant()
    })
  }

  #grant(): void {
    for (const request of [...this.#queue]) {
      if (this.#holders.has(request.name)) continue
      this.#queue = this.#queue.filter(other => other !== request)
      this.#holders.set(request.name, request)
      // Not within the requesting call, as on the platform.
      void Promise.resolve()
        .then(request.held)
        .then(request.resolve, request.reject)
        .then(() => {
          if (this.#holders.get(request.name) !== request) return
          this.#holders.delete(request.name)
          this.#grant()
        })
    }
  }
}
