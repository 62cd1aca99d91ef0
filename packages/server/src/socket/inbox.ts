/** The subset of a session that an inbox uses. */
export interface InboxPort<F> {
  /** Milliseconds until the next frame may be handled; 0: now. */
  waitMs(): number
  /** If other users have their turn first, resolves when the next frame may be handled. */
  turn(): Promise<void> | undefined
  /** If too many earlier writes of the user's devices are queued, resolves when they have been written. */
  backlog(): Promise<void> | undefined
  handle(frame: F): void
  pause(): void
  resume(): void
  after(delayMs: number, task: () => void): () => void
}

/**
 * Frames of one session, in their order. While their user has a debt of work, or has too much work in progress, they wait here,
 * and the socket is not read. Unread data stays in the device's own memory [S3].
 */
export class Inbox<F> {
  #port: InboxPort<F>
  #frames: F[] = []
  #isWaiting = false
  #cancel: () => void = () => undefined
  #hasEnded = false

  constructor(port: InboxPort<F>) {
    this.#port = port
  }

  /** The socket is not being read. */
  get isPaused(): boolean {
    return this.#isWaiting
  }

  add(frame: F): void {
    if (this.#hasEnded) return
    this.#frames.push(frame)
    if (!this.#isWaiting) this.#drain()
  }

  /** Frames that have not been handled never will be. */
  end(): void {
    this.#hasEnded = true
    this.#frames = []
    this.#cancel()
    if (this.#isWaiting) this.#port.resume()
  }

  #drain(): void {
    while (this.#frames.length > 0) {
      const waitMs = this.#port.waitMs()
      if (waitMs > 0) return this.#wait(goOn => this.#port.after(waitMs, goOn))
      const others = this.#port.turn() ?? this.#port.backlog()
      if (others) {
        return this.#wait(goOn => {
          void others.then(goOn)
          return () => undefined
        })
      }
      this.#port.handle(this.#frames.shift() as F)
    }
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#port.resume()
  }

  #wait(begin: (goOn: () => void) => () => void): void {
    if (!this.#isWaiting) this.#port.pause()
    this.#isWaiting = true
    this.#cancel = begin(() => {
      if (!this.#hasEnded) this.#drain()
    })
  }
}
