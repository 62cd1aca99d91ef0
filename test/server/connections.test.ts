import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { requestDeadlineMs } from '../support/server-internals.ts'
import { adminKey, serverWorld, settle, type World } from '../support/server-world.ts'

async function open(world: World, text: string): Promise<Socket> {
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (text !== '') await new Promise(resolve => socket.write(text, resolve))
  return socket
}

/** Resolves when the server has read everything that arrived before on other connections. */
async function served(world: World): Promise<void> {
  await fetch(`${world.url}/healthz`, { headers: { connection: 'close' } })
}

const head = `PUT /v1/users/alice HTTP/1.1\r\nHost: kith\r\nAuthorization: Bearer ${adminKey}\r\n`

test.each([
  ['no byte', ''],
  ['half the headers', head],
  ['half the headers of an upgrade', 'GET /v1/roster/alice HTTP/1.1\r\nUpgrade: websocket\r\n'],
  ['half a body', `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`],
])('[S3] a connection that has sent %s at its deadline is closed', async (_, text) => {
  const world = await serverWorld()
  const socket = await open(world, text)
  await served(world)
  world.clock.move(requestDeadlineMs - 1)
  await served(world)
  expect(socket.closed).toBe(false)
  socket.resume()
  world.clock.move(1)
  for (let turn = 0; turn < 50 && !socket.closed; turn++) await served(world)
  expect(socket.closed).toBe(true)
})

test('[S3] a websocket, and a connection that was just answered, have no request deadline', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  const socket = await open(world, 'GET /healthz HTTP/1.1\r\nHost: kith\r\n\r\n')
  await once(socket, 'data')
  world.clock.move(requestDeadlineMs - 5_000)
  await settle(alice)
  const again = once(socket, 'data')
  socket.write('GET /healthz HTTP/1.1\r\nHost: kith\r\n\r\n')
  await again
  world.clock.move(requestDeadlineMs - 5_000)
  await settle(alice)
  expect(socket.closed).toBe(false)
  expect(alice.isConnected).toBe(true)
})

test('[S3] all connections of an address count together, and a request beyond the limit is refused with 429', async () => {
  const world = await serverWorld({ limits: { connectionsPerAddress: 3 } })
  const [alice] = await world.devices('alice')
  await open(world, head)
  await open(world, head)
  await settle(alice)
  const refused = await open(world, 'GET /healthz HTTP/1.1\r\nHost: kith\r\n\r\n')
  const [answer] = (await once(refused, 'data')) as [Buffer]
  expect(String(answer)).toMatch(/^HTTP\/1.1 429 .*too-many-connections/s)
  const late = world.device('alice')
  await late.dial()
  expect((await late.closed()).code).toBe(4529)
  expect(alice.isConnected).toBe(true)
})

test('[S3] further connections of an address beyond its limit are dropped without a response', async () => {
  const world = await serverWorld({ limits: { connectionsPerAddress: 2 } })
  const sockets: Socket[] = []
  for (let n = 0; n < 40; n++) sockets.push(await open(world, ''))
  const isClosed = async (socket: Socket): Promise<void> => {
    socket.resume()
    if (!socket.closed) await once(socket, 'close')
  }
  await Promise.all(sockets.slice(18).map(isClosed))
  expect(sockets.slice(0, 18).every(({ closed }) => !closed)).toBe(true)
})
