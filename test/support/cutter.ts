import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export type Way = 'up' | 'down'

/** A relay in front of a server. It breaks connections after a given number of bytes, also inside a frame. */
export class Cutter {
  readonly url: string
  /** How many bytes have passed on the newest connection. */
  passed: Record<Way, number> = { up: 0, down: 0 }
  #joined = 0
  #cut: { connection: number; way: Way; left: number; broken: () => void } | undefined

  private constructor(url: string) {
    this.url = url
  }

  /** Opens the relay. It is closed when the test ends. */
  static async open(target: string): Promise<Cutter> {
    const { hostname, port } = new URL(target)
    const server = createServer()
    const sockets = new Set<Socket>()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const cutter = new Cutter(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.on('connection', device => {
      const ends = { up: device, down: connect(Number(port), hostname) }
      for (const end of Object.values(ends))
        sockets.add(end.on('error', () => undefined).on('close', () => sockets.delete(end)))
      cutter.#join(ends)
    })
    onTestFinished(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return cutter
  }

  /** Breaks the newest connection after this many more bytes of frames in that direction. Resolves when it is broken. */
  cutNewest(way: Way, afterBytes: number): Promise<void> {
    return this.#cutOnce(this.#joined, way, afterBytes)
  }

  /** As `cutNewest`, for the next connection. Frames of earlier connections, such as their last close frame, do not count. */
  cutNext(way: Way, afterBytes: number): Promise<void> {
    return this.#cutOnce(this.#joined + 1, way, afterBytes)
  }

  #cutOnce(connection: number, way: Way, left: number): Promise<void> {
    return new Promise(broken => {
      this.#cut = { connection, way, left, broken }
    })
  }

  /** Each end is named after the direction in which its bytes go. */
  #join(ends: Record<Way, Socket>): void {
    this.passed = { up: 0, down: 0 }
    const connection = ++this.#joined
    this.#pass(connection, 'up', ends.up, ends.down)
    this.#pass(connection, 'down', ends.down, ends.up)
  }

  #pass(connection: number, way: Way, from: Socket, to: Socket): void {
    let isHead = true
    from.on('data', chunk => {
      const start = isHead ? chunk.indexOf('\r\n\r\n') + 4 : 0 // The heads of the upgrade are not counted.
      isHead = false
      const cut = this.#cut?.way === way && this.#cut.connection === connection ? this.#cut : undefined
      const end = Math.min(chunk.length, start + (cut?.left ?? chunk.length))
      if (connection === this.#joined) this.passed[way] += end - start
      to.write(chunk.subarray(0, end))
      if (!cut) return
      cut.left -= end - start
      if (cut.left > 0) return
      this.#cut = undefined
      to.end()
      from.destroy()
      cut.broken()
    })
    from.on('close', () => to.end())
  }
}
