import { once } from 'node:events'
import { applyChanges, type KeyChange } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import * as Y from 'yjs'

export type PeerName = 'hocuspocus' | 'y-websocket'

const sync = 0
const auth = 2
const syncReply = 4
const step1 = 0
const step2 = 1
const update = 2

/**
 * A device of a peer, with a document for each owner that it follows. hocuspocus carries all documents on one socket;
 * y-websocket needs a socket for each.
 */
export class PeerDevice {
  readonly #peer: PeerName
  readonly #url: string
  readonly #sockets: Map<string, WebSocket> = new Map()
  readonly #opened: Map<WebSocket, Promise<void>> = new Map()
  readonly #docs: Map<string, Y.Doc> = new Map()
  readonly #waiting: Map<string, { isOver: (doc: Y.Doc) => boolean; resolve: () => void }> = new Map()
  /** Called for every message. While it is set, messages are not processed in any other way. */
  onMessage: ((data: Buffer) => void) | undefined

  constructor(peer: PeerName, url: string) {
    this.#peer = peer
    this.#url = url
  }

  /** Sets the documents that the device already holds. */
  hold(docs: Iterable<[string, Y.Doc]>): void {
    for (const [name, doc] of docs) this.#docs.set(name, doc)
  }

  get docs(): ReadonlyMap<string, Y.Doc> {
    return this.#docs
  }

  /**
   * Resolves when the device has everything that the server had of these documents. y-websocket answers before it has loaded a
   * document, so this waits for the fields of documents that are `written`.
   */
  async open(names: readonly string[], isWritten = false): Promise<void> {
    await Promise.all(
      names.map(async name => {
        const socket = await this.#socketOf(name)
        const caughtUp = this.#until(name, doc => !isWritten || doc.getMap('fields').size > 0)
        if (this.#peer === 'hocuspocus') this.#authenticate(socket, name)
        this.#sendSync(name, step1, Y.encodeStateVector(this.#docOf(name)))
        await caughtUp
      }),
    )
  }

  write(name: string, changes: readonly KeyChange[]): void {
    const doc = this.#docOf(name)
    const before = Y.encodeStateVector(doc)
    applyChanges(doc, changes)
    this.#sendSync(name, update, Y.encodeStateAsUpdate(doc, before))
  }

  /** Resolves when the server has answered a request that was sent after all other data. */
  async settle(name: string): Promise<void> {
    const answered = this.#until(name, () => true)
    this.#sendSync(name, step1, Y.encodeStateVector(this.#docOf(name)))
    await answered
  }

  close(): void {
    for (const socket of new Set(this.#sockets.values())) socket.terminate()
  }

  #docOf(name: string): Y.Doc {
    const doc = this.#docs.get(name) ?? new Y.Doc()
    this.#docs.set(name, doc)
    return doc
  }

  async #socketOf(name: string): Promise<WebSocket> {
    const key = this.#peer === 'hocuspocus' ? '' : name
    const known = this.#sockets.get(key)
    const socket = known ?? new WebSocket(key === '' ? this.#url : `${this.#url}/${key}`, { perMessageDeflate: false })
    if (!known) {
      this.#sockets.set(key, socket)
      this.#opened.set(
        socket,
        once(socket, 'open').then(() => undefined),
      )
      socket.on('message', data => {
        if (this.onMessage) this.onMessage(data as Buffer)
        else this.#receive(name, data as Buffer)
      })
    }
    await this.#opened.get(socket)
    return socket
  }

  #authenticate(socket: WebSocket, name: string): void {
    const encoder = this.#begin(name, auth)
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarString(encoder, 'no token')
    socket.send(encoding.toUint8Array(encoder))
  }

  #begin(name: string, type: number): encoding.Encoder {
    const encoder = encoding.createEncoder()
    if (this.#peer === 'hocuspocus') encoding.writeVarString(encoder, name)
    encoding.writeVarUint(encoder, type)
    return encoder
  }

  #sendSync(name: string, step: number, payload: Uint8Array): void {
    const encoder = this.#begin(name, sync)
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, payload)
    this.#sockets.get(this.#peer === 'hocuspocus' ? '' : name)?.send(encoding.toUint8Array(encoder))
  }

  #receive(socketsName: string, data: Buffer): void {
    const decoder = decoding.createDecoder(data)
    const name = this.#peer === 'hocuspocus' ? decoding.readVarString(decoder) : socketsName
    const type = decoding.readVarUint(decoder)
    if (type !== sync && type !== syncReply) return
    const step = decoding.readVarUint(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    const doc = this.#docOf(name)
    if (step === step1) return this.#sendSync(name, step2, Y.encodeStateAsUpdate(doc, payload))
    Y.applyUpdate(doc, payload)
    const waiting = this.#waiting.get(name)
    // An update follows when a document that was already answered has been loaded.
    if (!waiting?.isOver(doc)) return
    waiting.resolve()
    this.#waiting.delete(name)
  }

  #until(name: string, isOver: (doc: Y.Doc) => boolean): Promise<void> {
    return new Promise(resolve => this.#waiting.set(name, { isOver, resolve }))
  }
}
