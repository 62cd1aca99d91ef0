import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Kith } from '@kith/client'
import { createTestDevices } from '@kith/client/testing'
import { type CreateServerOptions, createServer, DamagedFolderError, type EmbeddedServer } from '@kith/server'
import express from 'express'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import fastify from 'fastify'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { folderOfTwo } from '../support/damaged-folders.ts'
import { loggerInto } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'
import { webhookSecret } from '../support/webhook-receiver.ts'

vi.setConfig({ testTimeout: 60_000 })

/** The examples of the guide, as functions with these names as parameters. */
async function examples(names: readonly string[], results: readonly string[]) {
  const guide = await readFile(new URL('../../docs/guides/embedding.md', import.meta.url), 'utf8')
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  return [...guide.matchAll(/```ts\n(.+?)```/gs)].map(([, code = ''], index) => {
    const body = code.replace(/^import .*$/gm, '').replaceAll('4180', '0')
    return new AsyncFunction(...names, `${body}\nreturn { kith, server: ${results[index]} }`)
  })
}

async function connect(url: string, token: string, user: string): Promise<Kith> {
  const devices = createTestDevices({
    server: { wsUrl: url.replace(/^http/, 'ws'), issueToken: async () => token },
    ...{ IDBFactory, IDBKeyRange, WebSocket: WebSocket as never },
  })
  onTestFinished(() => devices.close())
  const device = await devices.open(user)
  await device.whenSynced()
  return device
}

const log = loggerInto([])
const local = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** Runs one of the guide's two examples on a separate folder. */
async function run(which: 0 | 1, values: Record<string, unknown>) {
  const folder = await temporaryFolder()
  const signals: (() => Promise<void>)[] = []
  const all: Record<string, unknown> = {
    createServer: (options: CreateServerOptions) => createServer({ ...options, folder, log }),
    ...{ createHttpServer, express, fastify, whoSignsIn: undefined, sessionOf: undefined },
    process: { once: (_: string, end: () => Promise<void>) => signals.push(end) },
    ...values,
  }
  const example = (await examples(Object.keys(all), ['server', 'app.server']))[which]
  const { kith, server } = (await example(...Object.values(all))) as { kith: EmbeddedServer; server: Server }
  onTestFinished(async () => {
    await kith.close()
    server.closeAllConnections()
    server.close()
  })
  if (!server.listening) await once(server, 'listening')
  return { kith, server, url: local(server), end: async () => signals[0]?.() }
}

test('the example with Express signs a device in beside its own routes, and gives the server back on SIGTERM', async () => {
  const { kith, server, url, end } = await run(0, { whoSignsIn: async () => 'ada' })
  const login = await fetch(`${url}/login`, { method: 'POST' })
  const { user, token } = (await login.json()) as { user: string; token: string }
  expect(user).toBe('ada')
  const ada = await connect(url, token, 'ada')
  await ada.ownProfile.set('name', 'Ada')
  await ada.whenSynced()
  const headers = { authorization: `Bearer ${kith.adminKey}` }
  const profile = await fetch(`${url}/v1/users/ada/profile`, { headers })
  expect(await profile.json()).toEqual({ levels: { 0: { name: 'Ada' } } })
  expect((await fetch(`${url}/v1/users/ada/profile`)).status).toBe(401)
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404)
  expect((await fetch(`${url}/v1/usersnot`)).headers.get('x-powered-by')).toBe('Express')
  const isOffline = new Promise<void>(resolve => void ada.on('status', status => status === 'offline' && resolve()))
  await end()
  await isOffline
  expect(server.listening).toBe(false)
})

test('the example with Fastify asks the app who a token speaks for, for devices and for its own routes', async () => {
  const sessions = new Map([['session-of-ada', { user: 'ada', expiresAtMs: Date.now() + 60_000 }]])
  const { kith, url } = await run(1, { sessionOf: async (token: string) => sessions.get(token) })
  const ada = await connect(url, 'session-of-ada', 'ada')
  expect(ada.status).toBe('synced')
  const hello = (token: string): Promise<Response> =>
    fetch(`${url}/hello`, { headers: { authorization: `Bearer ${token}` } })
  expect(await (await hello('session-of-ada')).json()).toEqual({ hello: 'ada' })
  expect((await hello('another')).status).toBe(500)
  await expect(kith.verifyToken('another')).rejects.toMatchObject({ code: 'unauthorised' })
  await expect(kith.issueToken('ada')).rejects.toMatchObject({ code: 'unavailable' })
  const unauthorised = new Promise<void>(resolve => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/roster/ada`, ['kith.v1', 'bearer.another'])
    socket.on('close', code => code === 4401 && resolve())
  })
  await unauthorised
})

test('a verifyToken that rejects says that the token cannot be checked now, and one with a time is ended by a revocation', async () => {
  let isDown = true
  const issuedAtMs = Date.now() - 60_000
  const verifyToken = async (token: string) => {
    if (isDown) throw new Error('the session store is down')
    return { user: 'ada', ...(token === 'dated' && { issuedAtMs }) }
  }
  const kith = await createServer({ folder: await temporaryFolder(), log, verifyToken })
  onTestFinished(() => kith.close())
  await expect(kith.verifyToken('any')).rejects.toMatchObject({ code: 'unavailable' })
  isDown = false
  expect(await kith.verifyToken('dated')).toEqual({ user: 'ada', expiresAtMs: undefined })
  const url = await kith.listen({ port: 0 })
  const headers = { authorization: `Bearer ${kith.adminKey}` }
  await fetch(`${url}/v1/users/ada/sessions/revoke`, { method: 'POST', headers })
  await expect(kith.verifyToken('dated')).rejects.toMatchObject({ code: 'unauthorised' })
  expect(await kith.verifyToken('undated')).toMatchObject({ user: 'ada' })
})

test("an app's own websockets pass, and an upgrade that nobody takes ends", async () => {
  const kith = await createServer({ folder: await temporaryFolder(), log })
  const server = createHttpServer((_, response) => response.end('the app'))
  kith.attach(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await kith.close()
    server.close()
  })
  const ended = new Promise<string>(resolve => {
    const socket = new WebSocket(`${local(server).replace('http', 'ws')}/own`)
    socket.on('error', () => resolve('ended'))
  })
  expect(await ended).toBe('ended')
  server.on('upgrade', (request, socket) => {
    if (request.url === '/own') socket.end('HTTP/1.1 418 Own\r\n\r\n')
  })
  const taken = new Promise<number | undefined>(resolve => {
    const socket = new WebSocket(`${local(server).replace('http', 'ws')}/own`)
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
    socket.on('error', () => undefined)
  })
  expect(await taken).toBe(418)
  expect(await (await fetch(local(server))).text()).toBe('the app')
  await kith.close()
  expect(await (await fetch(`${local(server)}/v1/users`)).text()).toBe('the app')
})

test('createServer refuses settings that contradict each other, and to listen to the network with secrets of its own', async () => {
  const folder = await temporaryFolder()
  const both = { folder, tokenSecret: 'x'.repeat(32), jwksUrl: 'https://host/jwks.json' }
  await expect(createServer(both)).rejects.toThrow('give one of verifyToken, tokenSecret and jwksUrl')
  const webhook = { url: 'https://host/', secrets: ['short'] }
  await expect(createServer({ folder, webhook })).rejects.toThrow('webhook.secrets must be one or two texts')
  const messagePolicy = 'friends' as 'contacts'
  await expect(createServer({ folder, messagePolicy })).rejects.toThrow(
    'messagePolicy must be one of everyone, contacts, nobody, not "friends"',
  )
  const kith = await createServer({ folder, log })
  onTestFinished(() => kith.close())
  await expect(kith.listen({ host: '0.0.0.0', port: 0 })).rejects.toThrow('to listen on 0.0.0.0 give adminKey')
  const guessable = await createServer({ folder: await temporaryFolder(), adminKey: 'key', tokenSecret: 'x', log })
  onTestFinished(() => guessable.close())
  await expect(guessable.listen({ host: '0.0.0.0', port: 0 })).rejects.toThrow(
    'give a tokenSecret of at least 32 bytes',
  )
  expect(await kith.listen({ port: 0 })).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
})

test.each([
  ['with another protocol', { url: 'ftp://host/' }, 'webhook.url must be an address, as in https://host/kith-events'],
  ['with a password', { url: new URL('https://user:password@host/') }, 'webhook.url must have no user and password'],
  ['without an address', { url: 'no address' }, 'webhook.url must be an address'],
  ['without room', { mostEvents: 0 }, 'webhook.mostEvents must be a whole number, 1 or more'],
])('createServer refuses a webhook %s, as the command line does, and writes nothing', async (_, wrong, message) => {
  const folder = await temporaryFolder()
  const webhook = { url: 'https://host/', secrets: [webhookSecret], ...wrong }
  await expect(createServer({ folder, webhook, log })).rejects.toThrow(message)
  expect(await readdir(folder)).toEqual([])
})

test('[D2][D4] an app is notified when the running server finds a damaged table, and its exception stops nothing', async () => {
  const harmed = await folderOfTwo()
  // The server checks its tables for the first time after ten minutes.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
  onTestFinished(() => void vi.useRealTimers())
  const damages: DamagedFolderError[] = []
  const onDamage = (error: DamagedFolderError): never => {
    damages.push(error)
    throw new Error('a mistake of the app')
  }
  const server = await createServer({ folder: harmed.folder, log, onDamage })
  onTestFinished(() => server.close())
  const table = await harmed.decay()
  vi.advanceTimersByTime(10 * 60_000)
  await vi.waitFor(() => expect(damages).toMatchObject([{ damages: [{ file: table }] }]))
  expect(damages[0]).toBeInstanceOf(DamagedFolderError)
})

test('[R4] createServer lets no messages of strangers reach anybody with messagePolicy contacts', async () => {
  const kith = await createServer({ folder: await temporaryFolder(), log, messagePolicy: 'contacts' })
  onTestFinished(() => kith.close())
  const url = await kith.listen({ port: 0 })
  const headers = { authorization: `Bearer ${kith.adminKey}` }
  for (const user of ['ada', 'bob']) await fetch(`${url}/v1/users/${user}`, { method: 'PUT', headers })
  const answer = await fetch(`${url}/v1/communication?from=bob&to=ada`, { headers })
  expect(await answer.json()).toEqual({ allowed: false, reason: 'not-granted' })
})
