import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

/** y-websocket's own server. It stores with y-leveldb in the folder `YPERSISTENCE`. It has no types. */
const { setupWSConnection } = createRequire(import.meta.url)('y-websocket-with-server/bin/utils') as {
  setupWSConnection: (socket: unknown, request: unknown) => void
}
const server = createServer()
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', setupWSConnection)
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on ws://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.once('SIGTERM', () => process.exit(0))
