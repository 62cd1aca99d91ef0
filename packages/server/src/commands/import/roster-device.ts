import { once } from 'node:events'
import { applyChanges, decodeRetryHint, type FlatMaps, flatMapsOf, type KeyChange } from '@kith/shared'
import { decodeServerMessage, encodeClientMessage } from '@kith/shared/wire'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { ConnectionError } from './connection-error.ts'

/**
 * A device of a user that has only the user's roster, like a stock Yjs provider (docs/PROTOCOL.md, 13). It does not make the
 * user appear online, and receives no profiles. Nothing is stored when it is closed.
 */
export class RosterDevice {
  readonly #socket: WebSocket
  readonly #doc: Y.Doc = new Y.Doc({ gc: true })
  /**
   * The server's state vector from its sync step 1. It is answered with the first change, because an answer registers the user
   * [F3].
   */
  #serverState: Uint8Array | undefined
  #barriers = 0
  #waiting: { isDone: () => boolean; resolve: () => void; reject: (error: Error) => void } | undefined
  #reached = 0
  #isSynced = false
  #failure: Error | undefined

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => this.#receive(new Uint8Array(data as Buffer)))
    socket.on('close', (code, reason) => this.#fail(new ConnectionError(closeMessage(code, String(reason)))))
    socket.on('error', error => this.#fail(new ConnectionError(error.message, { cause: error })))
  }

  /** Connects, and reads the roster. Rejects with {@link ConnectionError}. */
  static async connect(url: string, user: string, token: string): Promise<RosterDevice> {
    const socket = new WebSocket(`${url}/v1/roster/${encodeURIComponent(user)}`, ['kith.v1', `bearer.${token}`], {
      handshakeTimeout: 10_000,
    })
    const device = new RosterDevice(socket)
    await once(socket, 'open').catch((error: Error) => {
      throw new ConnectionError(`could not reach a server at ${url}: ${error.message || 'is it running?'}`)
    })
    device.#send('step1', Y.encodeStateVector(device.#doc))
    await device.#until(() => device.#isSynced && device.#serverState !== undefined)
    return device
  }

  get roster(): FlatMaps {
    return flatMapsOf(this.#doc)
  }

  /** Writes changes in one update. Resolves when they are on the server's disk. Rejects with {@link ConnectionError}. */
  async write(changes: readonly KeyChange[]): Promise<void> {
    if (changes.length === 0) return
    const before = Y.encodeStateVector(this.#doc)
    applyChanges(this.#doc, changes)
    const isFirst = this.#barriers === 0
    this.#send(isFirst ? 'step2' : 'update', Y.encodeStateAsUpdate(this.#doc, isFirst ? this.#serverState : before))
    const id = ++this.#barriers
    this.#socket.send(encodeClientMessage({ type: 'barrier', id, withFeed: false }))
    await this.#until(() => this.#reached >= id)
  }

  async close(): Promise<void> {
    this.#failure ??= new ConnectionError('the import has ended')
    if (this.#socket.readyState === WebSocket.CLOSED) return
    const closed = once(this.#socket, 'close')
    this.#socket.close(1000)
    await closed
  }

  #send(step: 'step1' | 'step2' | 'update', payload: Uint8Array): void {
    this.#socket.send(encodeClientMessage({ type: 'rosterSync', step, payload }))
  }

  #receive(bytes: Uint8Array): void {
    const message = decodeServerMessage(bytes)
    if (message.type === 'rosterSync') {
      if (message.step === 'step1') this.#serverState = message.payload
      else Y.applyUpdate(this.#doc, message.payload, 'server')
      if (message.step === 'step2') this.#isSynced = true
    } else if (message.type === 'reached') {
      if (!message.isComplete) return this.#fail(new ConnectionError('the server did not take all changes: try again'))
      this.#reached = message.id
    }
    if (this.#waiting?.isDone()) this.#waiting.resolve()
  }

  #until(isDone: () => boolean): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (isDone()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting = { isDone, resolve, reject }
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#waiting?.reject(this.#failure)
  }
}

function closeMessage(code: number, reason: string): string {
  if (code === 4401)
    return 'the server does not accept the token: check --data, or set KITH_TOKEN to a token of this user'
  if (code === 4403) return `the server refused the connection: ${reason || 'the token is of another user'}`
  if (code === 4413) return `the server refused the change, which exceeds a limit: ${reason}`
  const { text, retryAfterMs } = decodeRetryHint(reason)
  const wait = retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / 1000)} s`
  return `the server ended the connection (${code}): ${text || reason || 'no reason was given'}${wait}`
}
