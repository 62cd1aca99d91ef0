import type { LockManagerLike } from '@kith/client'
import type { Standstill } from './standstill.ts'

interface Request {
  process: object
  name: string
  held: () => Promise<void>
  settle: () => void
  fail: (reason: unknown) => void
}

/** The Web Locks of one device. Each name is held by one of its tabs at a time. A killed tab releases its locks. */
export class Locks {
  readonly #standstill: Standstill
  #queue: Request[] = []
  #holders = new Map<string, Request>()
  /** Stolen locks whose former holders have not been notified yet. */
  #untold: { process: object; tell: () => void }[] = []

  constructor(standstill: Standstill) {
    this.#standstill = standstill
  }

  /** The locks as one tab sees them. */
  of(process: object): LockManagerLike {
    return {
      request: (name, { signal, steal }, held) =>
        new Promise<void>((resolve, reject) => {
          const request = { process, name, held, settle: resolve, fail: reject }
          signal?.addEventListener('abort', () => {
            this.#queue = this.#queue.filter(other => other !== request)
            reject(signal.reason as Error)
          })
          if (steal) this.#steal(request)
          else this.#queue.push(request)
          this.#grant()
        }),
    }
  }

  kill(process: object): void {
    this.#queue = this.#queue.filter(request => request.process !== process)
    this.#untold = this.#untold.filter(one => one.process !== process)
    for (const [name, holder] of this.#holders) if (holder.process === process) this.#holders.delete(name)
    this.#grant()
  }

  #steal(request: Request): void {
    const holder = this.#holders.get(request.name)
    this.#holders.delete(request.name)
    this.#queue.unshift(request)
    const lost = new DOMException('The lock was stolen', 'AbortError')
    if (!holder) return
    this.#untold.push({ process: holder.process, tell: () => holder.fail(lost) })
    this.#standstill.run(holder.process, () => this.#tellLosses(holder.process))
  }

  /** As in Web Locks: the holder is notified of a stolen lock before any later request is granted. */
  #tellLosses(process: object): void {
    const told = this.#untold.filter(one => one.process === process)
    this.#untold = this.#untold.filter(one => one.process !== process)
    for (const { tell } of told) tell()
  }

  #grant(): void {
    for (const request of [...this.#queue]) {
      if (this.#holders.has(request.name)) continue
      this.#queue = this.#queue.filter(other => other !== request)
      this.#holders.set(request.name, request)
      this.#standstill.run(request.process, () => {
        this.#tellLosses(request.process)
        this.#hold(request)
      })
    }
  }

  #hold(request: Request): void {
    void request.held().then(() => {
      if (this.#holders.get(request.name) === request) this.#holders.delete(request.name)
      request.settle()
      this.#grant()
    })
  }
}
