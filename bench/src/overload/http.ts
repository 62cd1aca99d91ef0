import { connect, type Socket } from 'node:net'
import { type Attack, pause } from './attack.ts'

/** Attacks on HTTP: requests and connections that are started and never finished. */

const mostTurnedAway = 16

function halfOpen(name: string, text: string): Attack {
  return {
    name,
    env: { KITH_LIMIT_CONNECTIONS_PER_ADDRESS: '20' },
    async prepare() {
      return undefined
    },
    async run({ url }) {
      const { hostname, port } = new URL(url)
      const sockets: Socket[] = []
      for (let n = 0; n < 200; n++) {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => undefined)
        socket.resume()
        socket.write(text)
        sockets.push(socket)
      }
      await pause(2_000)
      const openAtOnce = sockets.filter(({ closed }) => !closed).length
      const until = performance.now() + 45_000
      while (performance.now() < until && sockets.some(({ closed }) => !closed)) await pause(500)
      const open = sockets.filter(({ closed }) => !closed).length
      for (const socket of sockets) socket.destroy()
      // Some more may stay open for a moment, until they receive the reason for their refusal.
      return {
        text: `${openAtOnce} of 200 open after 2 s, ${open} after 45 s`,
        isRight: openAtOnce <= 20 + mostTurnedAway && open === 0,
      }
    },
  }
}

const headers = 'Host: kith\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\n'

export const halfBodies: Attack = halfOpen(
  'half an HTTP body, 200 times, the limit of an address being 20',
  `PUT /v1/users/mallory HTTP/1.1\r\n${headers}Content-Length: 100\r\n\r\n{`,
)
export const halfHeaders: Attack = halfOpen(
  'half the headers of an upgrade, 200 times, the limit of an address being 20',
  'GET /v1/roster/mallory HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n',
)
export const idleConnections: Attack = halfOpen(
  'connections that say nothing, 200, the limit of an address being 20',
  '',
)
