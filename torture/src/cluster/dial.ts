import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Connects to the first of these ports that accepts. Rejects if none does. */
export async function dialFirst(ports: readonly number[]): Promise<Socket> {
  let failure: unknown = new Error('there is nothing to connect to')
  for (const port of ports) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
