import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { type Listening, listen } from '../server-process.ts'
import { request } from './bare-wire.ts'

/** Starts a bare websocket server as a separate process. */
export function startBareServer(nodeArguments: readonly string[] = []): Promise<Listening> {
  return listen([...nodeArguments, fileURLToPath(new URL('./bare-server.js', import.meta.url))])
}

export async function connectBare(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, 'open')
  return socket
}

/** Sends a body. Resolves when `count` messages of `bytes` bytes have arrived. */
export function ask(socket: WebSocket, count: number, bytes: number, body?: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count
    socket.removeAllListeners('message')
    socket.once('close', () => reject(new Error('the bare server closed the connection')))
    socket.on('message', () => {
      if (--left === 0) resolve()
    })
    socket.send(request(count, bytes, body))
  })
}
