import { KithError } from '@kith/shared'
import type { ServerMessage } from '@kith/shared/wire'
import type { StoredFrame } from '../database/incoming-frames.ts'
import { frameOverheadBytes } from './frame-sizes.ts'

/** Handles the server's messages. */
export interface IncomingPort {
  /** Stores these frames, in order, before any later message is handled. */
  store(frames: readonly StoredFrame[]): Promise<void>
  /** Handles a message that `store` does not take. */
  handle(message: ServerMessage): Promise<void>
}

/** The maximum number of frames in one transaction. */
const framesPerTransaction = 500
/**
 * The maximum of bytes that wait to be stored. A browser's socket cannot be paused, so a server that sends faster than the
 * device stores fills the device's memory. An honest server never has this much to send at a time.
 */
const mostWaitingBytes = 256 * 1024 * 1024

interface Waiting {
  message: ServerMessage
  bytes: number
}

/**
 * Handles the server's messages one after the other, in order. Messages that arrive during a transaction are stored together in
 * the next one, so a new device that receives a thousand profiles needs only a few transactions.
 */
export class Receiver {
  readonly #port: IncomingPort
  readonly #mostBytes: number
  #queue: Waiting[] = []
  /** The bytes of the queued frames. */
  #bytes = 0
  #isRunning = false

  constructor(port: IncomingPort, mostBytes: number = mostWaitingBytes) {
    this.#port = port
    this.#mostBytes = mostBytes
  }

  /**
   * Queues a message that arrived in a frame of so many bytes. Resolves when the queue is empty. Rejects when a message could
   * not be handled, or when too many bytes wait; the session must then end.
   */
  async push(message: ServerMessage, frameBytes: number): Promise<void> {
    const bytes = frameBytes + frameOverheadBytes
    this.#queue.push({ message, bytes })
    this.#bytes += bytes
    if (this.#bytes > this.#mostBytes) {
      throw new KithError('unavailable', 'The server sends faster than this device can store')
    }
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      while (this.#queue.length > 0) await this.#takeSome()
    } finally {
      this.#isRunning = false
    }
  }

  /** Drops the queued messages: the server sends them again in the next session. */
  end(): void {
    this.#queue = []
    this.#bytes = 0
  }

  async #takeSome(): Promise<void> {
    const batch: StoredFrame[] = []
    while (batch.length < framesPerTransaction) {
      const message = this.#queue[0]?.message
      if (!message || !isStored(message)) break
      batch.push(message)
      this.#shift()
    }
    if (batch.length > 0) return this.#port.store(batch)
    const message = this.#shift()
    if (message) await this.#port.handle(message)
  }

  #shift(): ServerMessage | undefined {
    const next = this.#queue.shift()
    this.#bytes -= next?.bytes ?? 0
    return next?.message
  }
}

/** A step 2 may be the state that a rebuild waits for, so it is handled on its own. */
function isStored(message: ServerMessage): message is StoredFrame {
  switch (message.type) {
    case 'welcome':
    case 'access':
    case 'profile':
    case 'difference':
    case 'caughtUp':
      return true
    case 'rosterSync':
    case 'ownProfile':
      return message.step === 'update'
    default:
      return false
  }
}
