import type { KeyChange } from '@kith/shared'
import { applyChanges } from '@kith/shared'
import { type DeviceMessage, decodeFrame, encodeFrame, type ServerMessage } from '@kith/shared/wire'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { type Target, within } from './attack.ts'

/** The websocket of an attacker: it signs in, and then sends arbitrary data. */
export class AttackSocket {
  readonly user: string
  readonly socket: WebSocket
  /** The close code; `undefined` while the connection is open. */
  closedWith: number | undefined
  frames = 0
  #heard = new Set<(message: ServerMessage) => void>()

  private constructor(user: string, socket: WebSocket) {
    this.user = user
    this.socket = socket
    socket.on('close', code => {
      this.closedWith = code
    })
    socket.on('error', () => undefined)
    socket.on('message', data => {
      this.frames++
      if (this.#heard.size === 0) return
      const message = decodeFrame(data as Buffer) as ServerMessage
      for (const heard of this.#heard) heard(message)
    })
  }

  /** Signs in. With `hello`, the device uses Kith's own messages. */
  static async open(target: Target, user: string, hello?: { owners?: readonly string[] }): Promise<AttackSocket> {
    const token = await target.token(user)
    const url = `${target.url.replace(/^http/, 'ws')}/v1/roster/${encodeURIComponent(user)}`
    const socket = new WebSocket(url, ['kith.v1', `bearer.${token}`], { perMessageDeflate: false, maxPayload: 0 })
    const attacker = new AttackSocket(user, socket)
    await new Promise<void>(resolve => {
      socket.once('open', resolve)
      socket.once('close', resolve)
    })
    if (hello) attacker.send({ type: 'hello', version: 1, cursor: new Uint8Array(), owners: hello.owners ?? [] })
    return attacker
  }

  get isClosed(): boolean {
    return this.socket.readyState !== WebSocket.OPEN
  }

  send(message: DeviceMessage): void {
    this.sendBytes(encodeFrame(message))
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.isClosed) this.socket.send(bytes)
  }

  /** Resolves with the first message that `is` accepts, or with 'closed'. */
  until(is: (message: ServerMessage) => boolean): Promise<ServerMessage | 'closed'> {
    return new Promise(resolve => {
      const heard = (message: ServerMessage): void => {
        if (!is(message)) return
        this.#heard.delete(heard)
        resolve(message)
      }
      this.#heard.add(heard)
      if (this.isClosed) resolve('closed')
      this.socket.once('close', () => resolve('closed'))
    })
  }

  /** Resolves when all data sent before is on disk; with 'late' after `patienceMs`. */
  async barrier(id: number, patienceMs = 120_000): Promise<'reached' | 'refused' | 'closed' | 'late'> {
    const reached = this.until(message => message.type === 'reached' && message.id === id)
    this.send({ type: 'barrier', id, withFeed: false })
    const answer = await within(patienceMs, reached)
    if (answer === 'late' || answer === 'closed') return answer
    return answer.type === 'reached' && answer.isComplete ? 'reached' : 'refused'
  }

  close(): void {
    this.socket.terminate()
  }
}

/** A roster document that an attacker grows. */
export class AttackRoster {
  readonly doc: Y.Doc = new Y.Doc()

  /** Returns the update that these changes produce. */
  change(changes: readonly KeyChange[]): Uint8Array {
    const before = Y.encodeStateVector(this.doc)
    applyChanges(this.doc, changes)
    return Y.encodeStateAsUpdate(this.doc, before)
  }
}

/** Sends a roster as the answer to the server's step 1. Resolves when it is on disk. */
export async function install(target: Target, user: string, update: Uint8Array): Promise<void> {
  const socket = await AttackSocket.open(target, user, {})
  socket.send({ type: 'rosterSync', step: 'step2', payload: update })
  const answer = await socket.barrier(1)
  socket.close()
  if (answer !== 'reached') throw new Error(`the roster of ${user} was not written: ${answer} ${socket.closedWith}`)
}

/** Returns a text such as `12 of 18 closed`, the number of closed sockets, and whether all are closed. */
export function endings(sockets: readonly AttackSocket[]): { closed: number; text: string; areAllClosed: boolean } {
  const closed = sockets.filter(({ isClosed }) => isClosed)
  const codes = [...new Set(closed.map(({ closedWith }) => closedWith))].join(', ')
  const text = `${closed.length} of ${sockets.length} closed${codes === '' ? '' : ` (${codes})`}`
  return { closed: closed.length, text, areAllClosed: closed.length === sockets.length }
}
