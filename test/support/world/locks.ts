import type { LockManagerLike } from '@kith/client'

interface Request {
  process: object
  name: string
  held: () => Promise<void>
  settle: () => void
}

/** Web Locks of one device: each name is held by one of its tabs at a time; a tab that is killed gives up what it has. */
export class Locks {
  #queue: Request[] = []
  #holders = new Map<string, Request>()

  /** The locks as one tab sees them. */
  of(process: object): LockManagerLike {
    return {
      request: (name, { signal }, held) =>
        new Promise<void>((resolve, reject) => {
          const request = { process, name, held, settle: resolve }
          signal.addEventListener('abort', () => {
            this.#queue = this.#queue.filter(other => other !== request)
            reject(signal.reason as Error)
          })
          this.#queue.push(request)
          this.#grant()
        }),
    }
  }

  kill(process: object): void {
    this.#queue = this.#queue.filter(request => request.process !== process)
    for (const [name, holder] of this.#holders) if (holder.process === process) this.#holders.delete(name)
    this.#grant()
  }

  #grant(): void {
    for (const request of [...this.#queue]) {
      if (this.#holders.has(request.name)) continue
      this.#queue = this.#queue.filter(other => other !== request)
      this.#holders.set(request.name, request)
      void request.held().then(() => {
        if (this.#holders.get(request.name) === request) this.#holders.delete(request.name)
        request.settle()
        this.#grant()
      })
    }
  }
}
