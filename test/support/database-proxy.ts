import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Between a node and its database: holds the end of a read back. */
export interface DatabaseProxy {
  /** The URL of the database, by way of the proxy. */
  readonly url: string
  /**
   * Holds back the answer that ends the next read of views and levels. Resolves when the answer is here; the function that it
   * resolves to lets it go on.
   */
  holdNextRead(): Promise<() => void>
  /** From here on the connections that are open pass nothing on, and stay open: as when a machine is gone without a word. */
  silence(): void
}

/** Of the transaction in which views and levels are read. */
const begin = 'begin isolation level repeatable read read only'
const commit = 'commit\0'

/** The proxy ends with the test. */
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
      // Not read any more, or the end of a connection would be answered.
      for (const socket of open) silent.add(socket.pause())
    },
  }
}
