import { request } from 'node:http'
import { openMemoryStore, type ServerOptions, startServer } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, onTestFinished, test } from 'vitest'
import { adminKey, serverWorld } from '../support/server-world.ts'
import { limitsWith } from '../support/stores.ts'

const nothing = (): void => undefined
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing, trace: nothing }

async function portOf(options: Partial<ServerOptions> = {}): Promise<number> {
  const clock = new TestClock()
  const limits = limitsWith()
  const server = await startServer({
    store: await openMemoryStore({ limits, clock }),
    host: '127.0.0.1',
    port: 0,
    tokens: { secret: new TextEncoder().encode('a secret of these tests, long enough') },
    adminKey,
    limits,
    trustedProxies: [],
    clock,
    log: silent as unknown as ServerOptions['log'],
    ...options,
  })
  onTestFinished(() => server.close())
  return Number(new URL(server.url).port)
}

function statusOf(port: number, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/metrics', headers }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('[V10] metrics of a server on loopback need no key for a program on this machine', async () => {
  const port = await portOf()
  expect(await statusOf(port)).toBe(200)
  expect(await statusOf(port, { host: `localhost:${port}` })).toBe(200)
})

test('[V10] metrics need the admin key for a request through a proxy, or to a host name that is not loopback', async () => {
  const port = await portOf()
  for (const headers of [
    { 'x-forwarded-for': '192.0.2.1' },
    { 'x-forwarded-proto': 'https' },
    { forwarded: 'for=192.0.2.1' },
    { via: '1.1 proxy' },
    { 'x-real-ip': '192.0.2.1' },
    { 'cf-connecting-ip': '192.0.2.1' },
    { host: 'kith.example.org' },
  ]) {
    expect([await statusOf(port, headers), headers]).toEqual([401, headers])
    expect(await statusOf(port, { ...headers, authorization: `Bearer ${adminKey}` })).toBe(200)
    expect(await statusOf(port, { ...headers, authorization: 'Bearer another' })).toBe(401)
  }
})

test('[V10] metrics need the admin key if the server trusts a proxy, or listens on more than loopback', async () => {
  for (const options of [{ trustedProxies: ['10.0.0.0/8'] }, { host: '0.0.0.0' }]) {
    const port = await portOf(options)
    expect(await statusOf(port)).toBe(401)
    expect(await statusOf(port, { authorization: `Bearer ${adminKey}` })).toBe(200)
  }
})

test('closed sessions are counted by their close code', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.sendBytes(Uint8Array.of(99, 1, 2))
  bob.sendBytes('text')
  const codes = [(await alice.closed()).code, (await bob.closed()).code]
  const text = await (await fetch(`${world.url}/metrics`)).text()
  expect(codes).toEqual([4400, 4400])
  expect(text).toMatch(/^kith_closed_total\{code="4400"\} 2$/m)
})
