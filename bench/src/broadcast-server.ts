import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

/** What fan-out is compared with: a server that sends each message that it gets to everybody, and does nothing else. */
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
server.on('connection', socket => {
  socket.on('message', data => {
    for (const client of server.clients) client.send(data, { binary: true })
  })
})
server.on('listening', () => {
  process.stdout.write(`listening on ws://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.once('SIGTERM', () => process.exit(0))
