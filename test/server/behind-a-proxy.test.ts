import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { adminKey, serverWorld, type World } from '../support/server-world.ts'

/** Two devices' addresses, as a proxy names them. */
const here = '192.0.2.1'
const there = '192.0.2.2'

/** A server that receives every connection from this machine, which is its proxy. */
function behindProxy(connectionsPerAddress = 2): Promise<World> {
  return serverWorld({ limits: { connectionsPerAddress, connectionsPerUser: 100 }, trustedProxies: ['127.0.0.1'] })
}

/**
 * Signs in through the proxy. Resolves to the close code, or to the socket once the server has sent its sync step 1 for the
 * roster.
 */
async function signIn(world: World, forwardedFor: string): Promise<WebSocket | number> {
  const socket = new WebSocket(
    `${world.url.replace('http', 'ws')}/v1/roster/alice`,
    ['kith.v1', `bearer.${await world.token('alice')}`],
    { headers: { 'x-forwarded-for': forwardedFor } },
  )
  onTestFinished(() => socket.terminate())
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve(socket))
    socket.once('close', resolve)
    socket.once('error', reject)
  })
}

async function leave(socket: WebSocket | number): Promise<void> {
  if (typeof socket === 'number') throw new Error(`closed with ${socket}`)
  socket.close()
  await once(socket, 'close')
}

/** Begins a request through the proxy, without its body. `status` resolves to the status of the response. */
function begin(world: World, forwardedFor: string): { request: ClientRequest; status: Promise<number> } {
  const begun = request(`${world.url}/v1/users/bob`, {
    method: 'PUT',
    agent: false,
    headers: {
      authorization: `Bearer ${adminKey}`,
      'content-type': 'application/json',
      'content-length': 2,
      'x-forwarded-for': forwardedFor,
    },
  })
  onTestFinished(() => void begun.destroy())
  const status = once(begun, 'response').then(([response]) => {
    const { statusCode = 0 } = (response as IncomingMessage).resume()
    return statusCode
  })
  status.catch(() => undefined)
  begun.flushHeaders()
  return { request: begun, status }
}

/** Resolves when the server has read everything that arrived before on other connections. */
async function served(world: World): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await fetch(`${world.url}/healthz`, { headers: { connection: 'close' } })
}

test('[S3] behind a trusted proxy sessions count for the address that the proxy names, and leave room when they end', async () => {
  const world = await behindProxy()
  const [first] = [await signIn(world, here), await signIn(world, here)]
  expect(await signIn(world, here)).toBe(4529)
  expect(await signIn(world, there)).toBeInstanceOf(WebSocket)
  await leave(first)
  await served(world)
  expect(await signIn(world, here)).toBeInstanceOf(WebSocket)
  expect(await signIn(world, here)).toBe(4529)
})

test('[S3] only the address that the proxy adds counts, not one that the device claims', async () => {
  const world = await behindProxy()
  for (const claimed of ['198.51.100.1', '198.51.100.2']) {
    expect(await signIn(world, `${claimed}, ${here}`)).toBeInstanceOf(WebSocket)
  }
  expect(await signIn(world, `198.51.100.3, ${here}`)).toBe(4529)
  expect(await signIn(world, `${here}, ${there}`)).toBeInstanceOf(WebSocket)
})

test('[S3] without a trusted proxy, no address that a request claims counts', async () => {
  const world = await serverWorld({ limits: { connectionsPerAddress: 2 } })
  for (const claimed of [here, there]) expect(await signIn(world, claimed)).toBeInstanceOf(WebSocket)
  expect(await signIn(world, '192.0.2.3')).toBe(4529)
})

test('[S3] behind a trusted proxy, open requests count for the address that the proxy names until they are answered or aborted', async () => {
  const world = await behindProxy()
  const [answered, givenUp] = [begin(world, here), begin(world, here)]
  await served(world)
  expect(await begin(world, here).status).toBe(429)
  const other = begin(world, there)
  other.request.end('{}')
  expect(await other.status).toBe(201)
  answered.request.end('{}')
  expect(await answered.status).toBe(200)
  await served(world)
  const again = begin(world, here)
  await served(world)
  expect(await begin(world, here).status).toBe(429)
  givenUp.request.destroy()
  await served(world)
  const last = begin(world, here)
  for (const { request } of [again, last]) request.end('{}')
  expect(await Promise.all([again.status, last.status])).toEqual([200, 200])
})

test('[S3] the connections of a trusted proxy have no limit of their own', async () => {
  const world = await behindProxy(2)
  const sessions: (WebSocket | number)[] = []
  for (let index = 0; index < 30; index++) sessions.push(await signIn(world, `192.0.2.${index + 10}`))
  expect(sessions.filter(session => typeof session === 'number')).toEqual([])
  const requests = Array.from({ length: 30 }, (_, index) => begin(world, `192.0.2.${index + 10}`))
  await served(world)
  for (const { request } of requests) request.end('{}')
  expect(new Set(await Promise.all(requests.map(({ status }) => status)))).toEqual(new Set([200, 201]))
})
