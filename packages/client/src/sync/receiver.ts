import { KithError } from '@kith/shared'
import type { ServerMessage } from '@kith/shared/wire'
import type { StoredFrame } from '../database/incoming-frames.ts'
import { frameOverheadBytes } from './frame-sizes.ts'

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
 * As much as may wait to be stored. A browser's socket can't be paused, so a server that sends faster than the device stores
 * fills the device's memory. What an honest server has to say at once is far below this.
 */
const mostWaitingBytes = 256 * 1024 * 1024

interface Waiting {
  message: ServerMessage
  bytes: number
}

/**
 * The server's messages, one after the other in the order in which they came. Those that came while the last were being
 * stored are stored together, so that a new device with a thousand profiles to take needs a few transactions.
 */
export class Receiver {
  readonly #port: IncomingPort
  readonly #mostBytes: number
  #queue: Waiting[] = []
  /** Of what waits. */
  #bytes = 0
  #isRunning = false

  constructor(port: IncomingPort, mostBytes: number = mostWaitingBytes) {
    this.#port = port
    this.#mostBytes = mostBytes
  }

  /**
   * Takes a message that arrived in a frame of so many bytes. Rejects when a message could not be taken, or when too much
   * waits; then the session is to end. Resolves when the queue is empty.
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

  /** What came and was not looked at is dropped: it comes again. */
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
