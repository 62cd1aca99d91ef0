import { textOf } from '../database/failure.ts'
import type { WebSocketConstructor, WebSocketLike } from '../sync/socket.ts'
import type { Lease } from './lease.ts'

type Heard<E> = ((event: E) => void) | null

/**
 * A websocket that passes nothing on, in either direction, while it is uncertain whether this tab still has the lock. Waiting
 * frames are passed on later, in order. If another tab has the lock by then, they are dropped: they are sent again on its
 * socket.
 */
export function guardedSocket(Inner: WebSocketConstructor, lease: Lease): WebSocketConstructor {
  return class extends GuardedSocket {
    constructor(url: string, protocols: string[]) {
      super(lease, () => new Inner(url, protocols))
    }
  }
}

class GuardedSocket implements WebSocketLike {
  binaryType = 'arraybuffer'
  onopen: Heard<never> = null
  onmessage: Heard<never> = null
  onclose: Heard<never> = null
  onerror: Heard<never> = null
  readonly #lease: Lease
  #inner: WebSocketLike | undefined
  #isClosed = false
  #waiting: (() => void)[] = []

  /** Throws as `open` does, unless opening has to wait. */
  constructor(lease: Lease, open: () => WebSocketLike) {
    this.#lease = lease
    if (lease.isCertain) this.#attach(open())
    else this.#pass(() => this.#openLate(open))
  }

  get protocol(): string {
    return this.#inner?.protocol ?? ''
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#pass(() => this.#inner?.send(data))
  }

  /** Needs no lock: it affects no other tab. */
  close(code?: number, reason?: string): void {
    this.#isClosed = true
    this.#waiting = []
    this.#inner?.close(code, reason)
  }

  #openLate(open: () => WebSocketLike): void {
    try {
      this.#attach(open())
    } catch (error) {
      this.onclose?.({ code: 1006, reason: textOf(error) } as never)
    }
  }

  #attach(inner: WebSocketLike): void {
    this.#inner = inner
    inner.binaryType = this.binaryType
    inner.onopen = event => this.#pass(() => this.#opened(event))
    inner.onmessage = event => this.#pass(() => this.onmessage?.(event))
    inner.onclose = event => this.#pass(() => this.onclose?.(event))
    inner.onerror = event => this.#pass(() => this.onerror?.(event))
  }

  #opened(event: never): void {
    if (this.#inner) this.#inner.binaryType = this.binaryType
    this.onopen?.(event)
  }

  #pass(act: () => void): void {
    if (this.#isClosed) return
    if (this.#waiting.length === 0 && this.#lease.isCertain) return act()
    this.#waiting.push(act)
    if (this.#waiting.length === 1) void this.#passWaiting()
  }

  async #passWaiting(): Promise<void> {
    if (!(await this.#lease.verify())) this.#waiting = []
    // An action may add another one, or close this socket.
    for (let act = this.#waiting[0]; act && !this.#isClosed; act = this.#waiting[0]) {
      try {
        act()
      } catch (error) {
        void Promise.reject(error) // Reported as from an event handler.
      }
      this.#waiting.shift()
    }
  }
}
