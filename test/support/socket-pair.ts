import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { KithSocket } from './server-internals.ts'

export interface Pair {
  server: KithSocket
  /** The server's end of the connection. */
  tcp: Duplex & { bytesRead: number }
  device: WebSocket
  /** The device's end. */
  deviceTcp: Socket
}

/** A connection between a websocket of the server and a stock websocket. */
export async function pair(): Promise<Pair> {
  const http = createServer()
  const server = new WebSocketServer({ noServer: true, WebSocket: KithSocket })
  const met = new Promise<Pick<Pair, 'server' | 'tcp'>>(resolve => {
    http.on('upgrade', (request, tcp, head) => {
      server.handleUpgrade(request, tcp, head, socket => {
        resolve({ server: socket as KithSocket, tcp: tcp as Pair['tcp'] })
      })
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const device = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
  onTestFinished(() => {
    device.terminate()
    http.close()
  })
  await once(device, 'open')
  const { _socket: deviceTcp } = device as unknown as { _socket: Socket }
  return { ...(await met), device, deviceTcp }
}
