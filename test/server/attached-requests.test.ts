import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { openMemoryStore } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { defaultLimits as limits } from '@kith/shared'
import { expect, onTestFinished, test } from 'vitest'
import { assemble, attachTo, openNetwork, requestDeadlineMs } from '../support/server-internals.ts'
import { loggerInto } from '../support/server-world.ts'
import { until } from '../support/webhook-receiver.ts'

const adminKey = 'the admin key of this test'
const head = `Host: kith\r\nAuthorization: Bearer ${adminKey}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`

test("[S3] beside an app, a request to one of Kith's paths that has not arrived at its deadline is ended, and the app's own is not", async () => {
  const clock = new TestClock()
  const log = loggerInto([])
  const store = await openMemoryStore({ limits, clock })
  const tokens = { secret: new Uint8Array(32) }
  const engine = assemble({ store, tokens, adminKey, limits, clock, log })
  const network = openNetwork(engine, { clock, limits, log, trustedProxies: [] })
  await engine.api.ready()
  let arrived = 0
  const server = createHttpServer(() => arrived++)
  const detach = attachTo(server, engine.api, network)
  server.prependListener('request', () => arrived++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    detach()
    server.closeAllConnections()
    server.close()
    await engine.close()
    network.close()
  })
  const { port } = server.address() as AddressInfo
  const [ofKith, ofApp] = ['PUT /v1/users/alice', 'PUT /upload'].map(start => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    socket.resume()
    socket.write(`${start} HTTP/1.1\r\n${head}`)
    onTestFinished(() => void socket.destroy())
    return socket
  })
  await until(() => arrived === 3, 'both requests')
  clock.move(requestDeadlineMs - 1)
  await new Promise(resolve => setImmediate(resolve))
  expect([ofKith?.closed, ofApp?.closed]).toEqual([false, false])
  clock.move(1)
  await until(() => ofKith?.closed === true, 'the end')
  expect(ofApp?.closed).toBe(false)
})
