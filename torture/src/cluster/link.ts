import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** Opens the other end of a connection. */
export type Dial = () => Promise<Socket>

/** The two ends of a connection. */
type Pair = readonly [Socket, Socket]

/** A TCP proxy on the loopback interface, which simulates faults of a network. */
export class Link {
  readonly #server: Server
  readonly #dial: Dial
  readonly #pairs: Set<Pair> = new Set()
  #isRefusing = false
  #isHolding = false
  #bytesLeft = Number.POSITIVE_INFINITY
  /** The number of connections that were cut in the middle of a transfer. */
  cuts = 0

  private constructor(server: Server, dial: Dial) {
    this.#server = server
    this.#dial = dial
    server.on('connection', socket => void this.#connect(socket))
  }

  static async open(dial: Dial): Promise<Link> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Link(server, dial)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all connections, and accepts no new ones. */
  refuse(): void {
    this.#isRefusing = true
    for (const pair of this.#pairs) end(pair)
  }

  accept(): void {
    this.#isRefusing = false
  }

  /** Stops all data without closing a connection, as when a machine or a cable is gone. */
  hold(): void {
    this.#isHolding = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  release(): void {
    this.#isHolding = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  /**
   * Ends a connection after this many more bytes have flowed over all connections, in any direction: the connection of the last
   * byte, right after that byte.
   */
  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes
  }

  close(): void {
    this.refuse()
    this.#server.close()
  }

  async #connect(near: Socket): Promise<void> {
    near.on('error', () => undefined)
    if (this.#isRefusing) return void near.destroy()
    near.pause()
    let far: Socket
    try {
      far = await this.#dial()
    } catch {
      return void near.destroy()
    }
    far.on('error', () => undefined)
    const pair: Pair = [near, far]
    this.#pairs.add(pair)
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', data => this.#pass(data, from, to, pair))
      to.on('drain', () => this.#isHolding || from.resume())
      from.once('close', () => {
        this.#pairs.delete(pair)
        to.destroy()
      })
    }
    if (this.#isRefusing || near.destroyed) end(pair)
    else if (this.#isHolding) this.hold()
    else near.resume()
  }

  #pass(data: Buffer, from: Socket, to: Socket, pair: Pair): void {
    this.#bytesLeft -= data.length
    if (this.#bytesLeft > 0) {
      if (!to.write(data)) from.pause()
      return
    }
    const passing = data.subarray(0, data.length + this.#bytesLeft)
    this.#bytesLeft = Number.POSITIVE_INFINITY
    this.cuts++
    from.destroy()
    to.write(passing, () => end(pair))
  }
}

function end(pair: Pair): void {
  for (const socket of pair) socket.destroy()
}
