import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export type Way = 'up' | 'down'

/** A relay before a server, which breaks connections after so many bytes, wherever within a frame that is. */
export class Cutter {
  readonly url: string
  /** How many bytes have passed on the newest connection. */
  passed: Record<Way, number> = { up: 0, down: 0 }
  #joined = 0
  #cut: { connection: number; way: Way; left: number; broken: () => void } | undefined

  private constructor(url: string) {
    this.url = url
  }

  /** The relay ends with the test. */
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

  /** Breaks the newest connection once so many more bytes of frames have passed that way; resolves when it has. */
  cutNewest(way: Way, afterBytes: number): Promise<void> {
    return this.#cutOnce(this.#joined, way, afterBytes)
  }

  /** The same for the connection that comes next: the frames of those before it, as their last close frame, don't count. */
  cutNext(way: Way, afterBytes: number): Promise<void> {
    return this.#cutOnce(this.#joined + 1, way, afterBytes)
  }

  #cutOnce(connection: number, way: Way, left: number): Promise<void> {
    return new Promise(broken => {
      this.#cut = { connection, way, left, broken }
    })
  }

  /** Each end is named by the way that its bytes go. */
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
