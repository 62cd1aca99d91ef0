import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { answerRequest } from './bare-wire.ts'

/**
 * The baseline for Kith: a websocket server that has no users, checks nothing, merges nothing and stores nothing. It sends a
 * message to all connections and acknowledges it, or answers with the requested number of messages of the requested size.
 */
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  maxPayload: 64 * 1024 * 1024,
})
server.on('connection', socket => {
  socket.on('message', data => {
    const answer = answerRequest(data as Buffer)
    if (answer) for (let count = 0; count < answer.count; count++) socket.send(answer.message, { binary: true })
    else for (const client of server.clients) client.send(data, { binary: true })
  })
})
server.on('listening', () => {
  process.stdout.write(`listening on ws://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.once('SIGTERM', () => process.exit(0))
