import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EventRoom, openMemoryStore, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { openDevice } from '../support/process-devices.ts'
import { receiverOf, registered, type StoredEvent, undelivered, webhookKeyOf } from '../support/server-internals.ts'
import { type Receiver, startReceiver, until, verify, webhookSecret } from '../support/webhook-receiver.ts'

vi.setConfig({ testTimeout: 120_000 })

/** Real processes, real LevelDB, a real receiver. */

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function server(folder: string, receiver: Receiver, port = 0): Promise<ServerProcess> {
  const env = { KITH_WEBHOOK_URL: receiver.url, KITH_WEBHOOK_SECRET: webhookSecret, KITH_LOG_LEVEL: 'fatal' }
  const process = await startServerProcess({ folder, port, env })
  onTestFinished(() => process.stop().catch(() => undefined))
  return process
}

function check(folder: string): Promise<unknown> {
  return promisify(execFile)(process.execPath, [serverProgram, 'check', '--data', folder])
}

test('[D4] kill -9 of the server loses no event, while the receiver fails, hangs and answers late, and keeps the order of each user', async () => {
  const folder = await temporaryFolder()
  const receiver = await startReceiver()
  let count = 0
  receiver.answer = () => {
    count++
    if (count % 5 === 1) return 500
    if (count % 13 === 3) return 'hang'
    if (count % 11 === 2) return (_, response) => setTimeout(() => response.writeHead(204).end(), 300)
    return 204
  }
  let kith = await server(folder, receiver)
  const expected: string[] = []
  for (let round = 0; round < 4; round++) {
    for (let index = 0; index < 10; index++) {
      const user = `user ${round} ${index}`
      const path = `/v1/users/${encodeURIComponent(user)}`
      expect((await kith.admin('PUT', path)).status).toBe(201)
      expected.push(`user.registered ${user}`)
      if (index % 2 > 0) continue
      expect((await kith.admin('DELETE', path)).status).toBe(204)
      expected.push(`user.erased ${user}`)
    }
    await kith.kill()
    await check(folder)
    kith = await server(folder, receiver)
  }
  receiver.answer = () => 204
  const got = (): Set<string> => new Set(receiver.received.map(({ type, data }) => `${type} ${data['user']}`))
  const isErased = (event: string): boolean => expected.includes(event.replace('registered', 'erased'))
  // Erasing an account also erases the event of its registration, unless it was delivered before.
  const due = expected.filter(event => event.startsWith('user.erased') || !isErased(event))
  await until(() => due.every(event => got().has(event)), 'all events', 60_000)
  for (const event of receiver.received) expect(() => verify(event, webhookSecret)).not.toThrow()
  const order = receiver.received.map(({ type, data }) => `${type} ${data['user']}`)
  for (const [index, event] of order.entries()) {
    if (!event.startsWith('user.erased')) continue
    expect(order.lastIndexOf(event.replace('erased', 'registered')), event).toBeLessThan(index)
  }
  await until(async () => (await kith.metric('kith_webhook_events{state="waiting"}')) === 0, 'an empty outbox')
  await kith.stop()
  await check(folder)
})

test('a message to a user who is away is an event before its sender learns that it was not delivered', async () => {
  const receiver = await startReceiver()
  const kith = await server(await temporaryFolder(), receiver)
  const [alice, bob] = [await openDevice(kith, 'alice'), await openDevice(kith, 'bob')]
  for (const [device, other] of [
    [alice, 'bob'],
    [bob, 'alice'],
  ] as const) {
    const profile = device.getProfile(other)
    profile.setProfileAccessLevels([1])
    await profile.save()
    await device.whenSynced()
  }
  await bob.close()
  await alice.send('bob', 'are you there?')
  await until(() => receiver.taken.some(({ type }) => type === 'message.undelivered'), 'the event')
  const event = receiver.taken.find(({ type }) => type === 'message.undelivered')
  expect(event?.data).toEqual({ sender: 'alice', recipient: 'bob', id: expect.any(String) })
  expect(event?.body).not.toContain('are you there')
  expect(receiver.taken.filter(({ type }) => type === 'contact.granted').map(({ data }) => data)).toEqual([
    { owner: 'alice', viewer: 'bob', levels: [1] },
    { owner: 'bob', viewer: 'alice', levels: [1] },
  ])
  const blocked = alice.getProfile('bob')
  blocked.block(true)
  await blocked.save()
  await alice.whenSynced()
  await until(() => receiver.taken.filter(({ type }) => type === 'access.withdrawn').length === 2, 'the withdrawals')
  const before = receiver.taken.filter(({ type }) => type === 'message.undelivered').length
  await alice.send('bob', 'blocked')
  await kith.admin('PUT', '/v1/users/last')
  await until(() => receiver.taken.some(({ data }) => data['user'] === 'last'), 'the last event')
  expect(receiver.taken.filter(({ type }) => type === 'message.undelivered')).toHaveLength(before)
})

test('the receiver of the guide sends one push notification for a message, and refuses a forged event', async () => {
  const guide = await readFile(new URL('../../docs/guides/webhooks.md', import.meta.url), 'utf8')
  const [, code = ''] = /```ts\n(.+?)```/s.exec(guide) ?? []
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor
  const names = ['createServer', 'Webhook', 'webpush', 'subscriptionsOf', 'process']
  const run = new AsyncFunction(...names, `${code.replace(/^import .*$/gm, '').replace('8080', '0')}\nreturn server`)
  const sendNotification = vi.fn(async () => undefined)
  const env = { KITH_WEBHOOK_SECRET: webhookSecret }
  const subscriptionsOf = async (user: string): Promise<string[]> => [`the phone of ${user}`]
  const server = (await run(createServer, Webhook, { sendNotification }, subscriptionsOf, { env })) as Server
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-id': 'evt_1' } })
  expect(forged.status).toBe(401)
  const send = await messageFor(url)
  for (let time = 0; time < 2; time++) expect(await send()).toEqual({ isDelivered: true })
  expect(sendNotification.mock.calls).toEqual([
    ['the phone of bob', JSON.stringify({ title: 'New message', from: 'alice', tag: 'm1' })],
  ])
})

/** Sends the event of a message to a receiver: the same event each time, as after a crash. */
async function messageFor(url: string): Promise<() => Promise<unknown>> {
  const room = new EventRoom({ mostEvents: 10, includesText: false })
  const store = await openMemoryStore({ limits: defaultLimits, clock: systemClock, room })
  onTestFinished(() => store.close())
  await registered(store, 'alice', 'bob')
  await store.commit(await undelivered(store))
  const event = (await store.outbox.next('bob')) as StoredEvent
  const send = receiverOf({ url: new URL(url), keys: [webhookKeyOf(webhookSecret) as Uint8Array] }, systemClock)
  return () => send(event, new AbortController().signal)
}
