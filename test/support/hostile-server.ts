import { type Kith, type KithOptions, openKith } from '@kith/client'
import { defaultContentLimits } from '@kith/shared'
import { type ClientMessage, decodeFrame, encodeFrame, type ServerMessage } from '@kith/shared/wire'
import { IDBKeyRange } from 'fake-indexeddb'
import { onTestFinished } from 'vitest'
import * as Y from 'yjs'

/** A hostile server's response to a message of the device. */
export type Answer = (
  message: ClientMessage,
  say: (message: ServerMessage | Uint8Array) => void,
  close: (code: number) => void,
) => void

const nothing = Y.encodeStateVector(new Y.Doc())
const emptyState = Y.encodeStateAsUpdate(new Y.Doc())

/** Default behaviour of the server. `answer` receives each message first; `true` means that it has handled the message. */
export interface Hostile {
  /** Connections so far. */
  connections: number
  /** Messages of the device so far. */
  messages: number
  /** The subprotocol that it selects. By default none, as an older server does for an unknown subprotocol. */
  protocol: string
  open(user: string, options: Partial<KithOptions>): Promise<Kith>
}

/**
 * A server in this process that sends whatever a test wants. If `answer` returns `false`, the server responds as one with an
 * empty store that forgets everything immediately.
 */
export function hostileServer(
  answer: (...args: Parameters<Answer>) => boolean,
  stateVector: Uint8Array = nothing,
): Hostile {
  const hostile: Hostile = {
    connections: 0,
    messages: 0,
    protocol: '',
    async open(user, options) {
      const kith = await openKith({
        url: 'ws://hostile.example',
        token: () => 'a-token',
        user,
        IDBKeyRange,
        WebSocket: Socket as never,
        ...options,
      })
      onTestFinished(() => kith.close())
      return kith
    },
  }

  class Socket {
    static readonly OPEN = 1
    binaryType = 'arraybuffer'
    readyState = 0
    readonly protocol = hostile.protocol
    onopen: (() => void) | null = null
    onmessage: ((event: { data: ArrayBuffer }) => void) | null = null
    onclose: ((event: { code: number; reason: string }) => void) | null = null
    onerror: (() => void) | null = null

    constructor() {
      hostile.connections++
      setImmediate(() => {
        if (this.readyState !== 0) return
        this.readyState = 1
        this.onopen?.()
        this.#say({ type: 'rosterSync', step: 'step1', payload: stateVector })
      })
    }

    send(data: Uint8Array): void {
      hostile.messages++
      const message = decodeFrame(new Uint8Array(data)) as ClientMessage
      setImmediate(() => {
        if (this.readyState !== 1) return
        if (
          !answer(
            message,
            said => this.#say(said),
            code => this.#close(code),
          )
        )
          this.#answer(message)
      })
    }

    close(): void {
      this.#close(1000)
    }

    #answer(message: ClientMessage): void {
      switch (message.type) {
        case 'hello':
          this.#say({
            type: 'welcome',
            isFresh: true,
            isErased: false,
            incarnation: new Uint8Array(16),
            limits: defaultContentLimits,
          })
          this.#say({ type: 'ownProfile', step: 'step1', payload: stateVector })
          this.#say({ type: 'caughtUp', cursor: Uint8Array.of(1) })
          return
        case 'rosterSync':
        case 'ownProfile':
          if (message.step === 'step1') this.#say({ ...message, step: 'step2', payload: emptyState })
          return
        case 'barrier':
          return this.#say({ type: 'reached', id: message.id, isComplete: true })
        default:
      }
    }

    #say(message: ServerMessage | Uint8Array): void {
      if (this.readyState !== 1) return
      const bytes = message instanceof Uint8Array ? message : encodeFrame(message)
      this.onmessage?.({ data: bytes.slice().buffer })
    }

    #close(code: number): void {
      if (this.readyState === 3) return
      this.readyState = 3
      setImmediate(() => this.onclose?.({ code, reason: '' }))
    }
  }
  return hostile
}
