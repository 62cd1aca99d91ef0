import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'

/** How long a connection may take to send a whole request, counted from its beginning or from the previous answer. */
export const requestDeadlineMs = 20_000
/**
 * This many connections above the limit of an address are accepted briefly, so that they receive the reason of their refusal.
 */
const mostTurnedAway = 16
const turningAwayMs = 5_000

interface Connection {
  readonly socket: Socket
  /** The address on the network. Absent for a trusted proxy, whose connections belong to many clients. */
  readonly address: string | undefined
  readonly isCrowded: boolean
  request: IncomingMessage | undefined
  cancelDeadline: () => void
}

/**
 * All connections to the server's port, including websockets: how many one address may have, and how long they may take. Behind
 * a trusted proxy, requests in progress are counted instead, by the address that the proxy names.
 */
export class Connections {
  #clock: Clock
  #mostPerAddress: number
  #isProxy: (address: string) => boolean
  #bySocket = new Map<unknown, Connection>()
  #counts = new Map<string, number>()

  constructor(options: { clock: Clock; mostPerAddress: number; isProxy: (address: string) => boolean }) {
    this.#clock = options.clock
    this.#mostPerAddress = options.mostPerAddress
    this.#isProxy = options.isProxy
  }

  attach(server: Server): void {
    server.on('connection', (socket: Socket) => this.#begin(socket))
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#onRequest(request, response))
    server.on('upgrade', (request: IncomingMessage) => this.#bySocket.get(request.socket)?.cancelDeadline())
  }

  /** Limits how long a request may take to arrive whose connection belongs to the app's server. */
  expect(request: IncomingMessage, response: ServerResponse): void {
    const cancel = this.#clock.after(requestDeadlineMs, () => {
      if (!request.complete) request.socket.destroy()
    })
    response.once('close', cancel)
  }

  /** Whether this connection exceeded the limit of its address when it was opened. */
  isCrowded(request: IncomingMessage): boolean {
    return this.#bySocket.get(request.socket)?.isCrowded ?? false
  }

  /** Counts a request by the address that a proxy names, until it is answered. Returns false if the address is at its limit. */
  admitsRequest(request: IncomingMessage, response: ServerResponse, address: string): boolean {
    if (this.isCrowded(request)) return false
    if (this.#bySocket.get(request.socket)?.address !== undefined) return true
    if (this.#countOf(address) >= this.#mostPerAddress) return false
    this.#count(address, 1)
    response.once('close', () => this.#count(address, -1))
    return true
  }

  #begin(socket: Socket): void {
    const remote = socket.remoteAddress ?? ''
    const address = this.#isProxy(remote) ? undefined : remote
    const count = address === undefined ? 0 : this.#countOf(address)
    if (count >= this.#mostPerAddress + mostTurnedAway) {
      socket.destroy()
      return
    }
    const isCrowded = address !== undefined && count >= this.#mostPerAddress
    const connection: Connection = { socket, address, isCrowded, request: undefined, cancelDeadline: () => undefined }
    this.#bySocket.set(socket, connection)
    if (address !== undefined) this.#count(address, 1)
    socket.once('close', () => {
      connection.cancelDeadline()
      this.#bySocket.delete(socket)
      if (address !== undefined) this.#count(address, -1)
    })
    this.#setDeadline(connection, isCrowded ? turningAwayMs : requestDeadlineMs)
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#bySocket.get(request.socket)
    if (!connection) return
    connection.request = request
    response.once('close', () => {
      connection.request = undefined
      if (!connection.socket.destroyed) this.#setDeadline(connection, requestDeadlineMs)
    })
  }

  #setDeadline(connection: Connection, afterMs: number): void {
    connection.cancelDeadline()
    connection.cancelDeadline = this.#clock.after(afterMs, () => {
      // A complete request must be answered by the server, however long that takes.
      if (connection.request?.complete) this.#setDeadline(connection, requestDeadlineMs)
      else connection.socket.destroy()
    })
  }

  #countOf(address: string): number {
    return this.#counts.get(address) ?? 0
  }

  #count(address: string, by: 1 | -1): void {
    const count = this.#countOf(address) + by
    if (count > 0) this.#counts.set(address, count)
    else this.#counts.delete(address)
  }
}
