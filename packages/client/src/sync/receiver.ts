import type { ServerMessage } from '@kith/shared/wire'
import type { StoredFrame } from '../database/incoming-frames.ts'

/** What is done with the server's messages. */
export interface IncomingPort {
  /** Stores these, in order, before anything that came later is looked at. */
  store(frames: readonly StoredFrame[]): Promise<void>
  /** A message that nothing is stored of, or not in that way. */
  handle(message: ServerMessage): Promise<void>
}

/** As many frames as one transaction takes. */
const framesPerTransaction = 500

/**
 * The server's messages, one after the other in the order in which they came. Those that came while the last were being
 * stored are stored together, so that a new device with a thousand profiles to take needs a few transactions.
 */
export class Receiver {
  readonly #port: IncomingPort
  #queue: ServerMessage[] = []
  #isRunning = false

  constructor(port: IncomingPort) {
    this.#port = port
  }

  /** Rejects when a message could not be taken; then the session is to end. Resolves when the queue is empty. */
  async push(message: ServerMessage): Promise<void> {
    this.#queue.push(message)
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      while (this.#queue.length > 0) await this.#takeSome()
    } finally {
      this.#isRunning = false
    }
  }

  /** What came and was not looked at is dropped: it comes again. */
  end(): void {
    this.#queue = []
  }

  async #takeSome(): Promise<void> {
    const batch: StoredFrame[] = []
    while (batch.length < framesPerTransaction) {
      const [next] = this.#queue
      if (!next || !isStored(next)) break
      batch.push(next)
      this.#queue.shift()
    }
    if (batch.length > 0) return this.#port.store(batch)
    const next = this.#queue.shift()
    if (next) await this.#port.handle(next)
  }
}

/** A step 2 may be the state that a rebuild waits for, so it is handled on its own. */
function isStored(message: ServerMessage): message is StoredFrame {
  switch (message.type) {
    case 'welcome':
    case 'access':
    case 'profile':
    case 'caughtUp':
      return true
    case 'rosterSync':
    case 'ownProfile':
      return message.step === 'update'
    default:
      return false
  }
}
