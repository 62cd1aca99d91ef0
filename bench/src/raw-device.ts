import { deflateRawSync } from 'node:zlib'
import { applyChanges, type KeyChange } from '@kith/shared'
import {
  type DeviceMessage,
  decodeFrame,
  deflateWire,
  encodeFrame,
  maxInflatedBytes,
  oldestWire,
  type ServerMessage,
  versionedSubprotocol,
  wireVersion,
} from '@kith/shared/wire'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { ServerProcess } from './server-process.ts'

/** A device that speaks the wire protocol and stores nothing: the server is measured, not a database in memory. */
export class RawDevice {
  readonly user: string
  readonly roster: Y.Doc
  readonly profile: Y.Doc
  cursor: Uint8Array = new Uint8Array()
  /** Bytes of Kith's own messages, in both directions. The roster's sync is not included. */
  feedBytes = 0
  profilesReceived = 0
  /** Bytes of updates, as sent. */
  updateBytes = 0
  /** Whether the device names its wire version, and compresses updates of its roster if the server accepts that. */
  isVersioned = false
  #mayDeflate = false
  /** Called for each level, and for each difference. */
  onProfile: (message: Extract<ServerMessage, { type: 'profile' | 'difference' }>) => void = () => undefined
  /** Called for every frame as received. While it is set, frames are not processed in any other way. */
  onRaw: ((data: Buffer) => void) | undefined
  /** Called for every frame, before any other processing. */
  onMessage: (message: ServerMessage, bytes: Uint8Array) => void = () => undefined
  #socket: WebSocket | undefined
  #waiting = new Map<string, () => void>()
  #barrier = 0

  constructor(user: string, { roster, profile }: Partial<Pick<RawDevice, 'roster' | 'profile'>> = {}) {
    this.user = user
    this.roster = roster ?? new Y.Doc()
    this.profile = profile ?? new Y.Doc()
  }

  /** Returns the same device after a restart: with its documents and its cursor. */
  restarted(): RawDevice {
    const again = new RawDevice(this.user, this)
    again.cursor = this.cursor
    return again
  }

  /**
   * Signs in. Resolves when the device has caught up. `withDocuments`: the device also requests the missing parts of its own
   * documents, as Kith's client does, and waits for them.
   */
  async connect(server: Pick<ServerProcess, 'url'>, token: string, withDocuments = false): Promise<void> {
    const url = `${server.url.replace(/^http/, 'ws')}/v1/roster/${encodeURIComponent(this.user)}`
    const socket = new WebSocket(
      url,
      ['kith.v1', `bearer.${token}`, ...(this.isVersioned ? [versionedSubprotocol] : [])],
      { perMessageDeflate: false },
    )
    this.#socket = socket
    const waited = ['caughtUp', ...(withDocuments ? ['rosterSync', 'ownProfile'] : [])].map(what => this.#until(what))
    socket.on('message', data => {
      if (this.onRaw) this.onRaw(data as Buffer)
      else this.#receive(data as Buffer)
    })
    socket.on('open', () => {
      const ask = (type: 'rosterSync' | 'ownProfile', doc: Y.Doc): void =>
        this.send({ type, step: 'step1', payload: Y.encodeStateVector(doc) })
      if (withDocuments) ask('rosterSync', this.roster)
      const wire = this.isVersioned ? { version: wireVersion, oldest: oldestWire } : { version: 1 }
      this.send({ type: 'hello', ...wire, cursor: this.cursor })
      if (withDocuments) ask('ownProfile', this.profile)
    })
    await Promise.race([
      Promise.all(waited),
      new Promise((_, reject) => {
        socket.once('close', (code, reason) => reject(new Error(`closed: ${code} ${reason}`)))
        socket.once('error', reject)
      }),
    ])
  }

  /** Writes to one of the device's documents. Resolves when the change is on the server's disk. */
  async edit(document: 'roster' | 'profile', changes: readonly KeyChange[]): Promise<void> {
    this.write(document, changes)
    const id = ++this.#barrier
    const reached = this.#until(`reached ${id}`)
    this.send({ type: 'barrier', id, withFeed: true })
    await reached
  }

  /** Writes without waiting. */
  write(document: 'roster' | 'profile', changes: readonly KeyChange[]): void {
    const doc = this[document]
    const before = Y.encodeStateVector(doc)
    applyChanges(doc, changes)
    const payload = Y.encodeStateAsUpdate(doc, before)
    if (document === 'roster' && this.#mayDeflate && payload.length <= maxInflatedBytes) {
      const deflated = deflateRawSync(payload)
      if (deflated.length < payload.length) {
        this.updateBytes += deflated.length
        return this.send({ type: 'deflatedRoster', size: payload.length, step: 'update', payload: deflated })
      }
    }
    this.updateBytes += payload.length
    this.send({ type: document === 'roster' ? 'rosterSync' : 'ownProfile', step: 'update', payload })
  }

  close(): void {
    this.#socket?.terminate()
  }

  send(message: DeviceMessage): void {
    const frame = encodeFrame(message)
    if (message.type !== 'rosterSync') this.feedBytes += frame.length
    this.#socket?.send(frame)
  }

  #receive(data: Buffer): void {
    const message = decodeFrame(data) as ServerMessage
    this.onMessage(message, data)
    if (message.type !== 'rosterSync') this.feedBytes += data.length
    switch (message.type) {
      case 'rosterSync':
      case 'ownProfile': {
        const doc = message.type === 'rosterSync' ? this.roster : this.profile
        if (message.step !== 'step1') Y.applyUpdate(doc, message.payload)
        else this.send({ ...message, step: 'step2', payload: Y.encodeStateAsUpdate(doc, message.payload) })
        if (message.step === 'step2') this.#settle(message.type)
        return
      }
      case 'profile':
      case 'difference':
        this.profilesReceived++
        this.onProfile(message)
        break
      case 'welcome':
        this.#mayDeflate = (message.understands?.wire ?? 1) >= deflateWire
        break
      case 'caughtUp':
        this.cursor = message.cursor
        this.#settle('caughtUp')
        return
      case 'reached':
        this.#settle(`reached ${message.id}`)
        return
      default:
    }
    if ('cursor' in message && message.cursor.length > 0) this.cursor = message.cursor
  }

  #until(what: string): Promise<void> {
    return new Promise(resolve => this.#waiting.set(what, resolve))
  }

  #settle(what: string): void {
    this.#waiting.get(what)?.()
    this.#waiting.delete(what)
  }
}

/** Returns the changes that follow each of these users. */
export function following(owners: readonly string[]): KeyChange[] {
  return owners.map(key => ({ root: 'subscriptions', key, value: true }))
}

/** Returns a list of `count` user ids. */
export function userIds(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}
