import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A proxy between a node and its database. It can hold back the end of a read. */
export interface DatabaseProxy {
  /** The URL of the database through the proxy. */
  readonly url: string
  /**
   * Holds back the response that ends the next read of views and levels. Resolves when the response has arrived, to a function
   * that releases it.
   */
  holdNextRead(): Promise<() => void>
  /** From now on the open connections forward nothing and stay open, as when a machine fails without closing them. */
  silence(): void
}

/** The statement that begins the transaction in which views and levels are read. */
const begin = 'begin isolation level repeatable read read only'
const commit = 'commit\0'

/** Opens the proxy. It is closed when the test ends. */
export async function openDatabaseProxy(database: string): Promise<DatabaseProxy> {
  const target = new URL(database)
  const sockets = new Set<Socket>()
  const open = new Set<Socket>()
  const silent = new Set<Socket>()
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let arrived: ((release: () => void) => void) | undefined

  server.on('connection', node => {
    const behind = connect(Number(target.port), target.hostname)
    for (const socket of [node, behind]) sockets.add(socket.on('error', () => undefined))
    node.on('close', () => behind.destroy())
    behind.on('close', () => node.destroy())
    let isReading = false
    let isHeld = false
    open.add(node)
    node.on('data', data => {
      if (silent.has(node)) return
      if (arrived && data.includes(begin)) isReading = true
      else if (arrived && isReading && data.includes(commit)) isHeld = true
      behind.write(data)
    })
    behind.on('data', data => {
      if (silent.has(node)) return
      if (!isHeld || !arrived) return void node.write(data)
      isReading = false
      isHeld = false
      const resolve = arrived
      arrived = undefined
      resolve(() => void node.write(data))
    })
  })
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })

  const url = new URL(database)
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    holdNextRead: () =>
      new Promise(resolve => {
        arrived = resolve
      }),
    silence() {
      // Stops reading as well. Otherwise the proxy would answer the end of a connection.
      for (const socket of open) silent.add(socket.pause())
    },
  }
}
