import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Node } from './nodes.ts'

/** One address for all nodes. All devices of a user are sent to the same node, and to another one when that node is gone. */
export interface Balancer {
  readonly port: number
  /** Returns the node of the user's devices. */
  nodeOf(user: string): Node
  /** The users whose devices have connected so far. */
  readonly users: readonly string[]
  close(): void
}

/** A minimal load balancer, instead of HAProxy or nginx. It reads the user from the path. */
export async function startBalancer(nodes: readonly Node[]): Promise<Balancer> {
  const places = new Map<string, number>()
  const sockets = new Set<Socket>()
  const placeOf = (user: string): number => {
    const place = places.get(user) ?? places.size
    places.set(user, place)
    return place % nodes.length
  }
  const nodeOf = (user: string): Node => nodes[placeOf(user)] as Node

  /** Connects to the node of this user, or to the next one that accepts. */
  async function connectNode(user: string): Promise<Socket> {
    for (let attempt = 1; ; attempt++) {
      const node = connect(nodeOf(user).port, '127.0.0.1')
      try {
        await once(node, 'connect')
        return node
      } catch (error) {
        if (attempt === nodes.length) throw error
        places.set(user, placeOf(user) + 1)
      }
    }
  }

  const server = createServer(device => {
    sockets.add(device)
    device.on('error', () => undefined)
    device.once('close', () => sockets.delete(device))
    device.once('data', beginning => {
      device.pause()
      // For example `GET /v1/roster/alice HTTP/1.1`.
      const user = decodeURIComponent(beginning.toString('latin1').split(/[ /?]/)[4] ?? '')
      connectNode(user).then(
        node => {
          node.on('error', () => device.destroy())
          node.once('close', () => device.destroy())
          device.once('close', () => node.destroy())
          node.write(beginning)
          device.pipe(node)
          node.pipe(device)
        },
        () => device.destroy(),
      )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    nodeOf,
    get users() {
      return [...places.keys()]
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
