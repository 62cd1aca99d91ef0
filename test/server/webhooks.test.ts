import { check, EventRoom, openMemoryStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, onTestFinished, test } from 'vitest'
import {
  Courier,
  keys,
  readWebhook,
  receiverOf,
  registered,
  rosterChange,
  type StoredEvent,
  storeOn,
  undelivered,
  userChange,
  webhookKeyOf,
} from '../support/server-internals.ts'
import { loggerInto } from '../support/server-world.ts'
import { limitsWith, newDatabase } from '../support/stores.ts'
import { otherSecret, type Receiver, startReceiver, until, verify, webhookSecret } from '../support/webhook-receiver.ts'

const hourMs = 3_600_000

interface World {
  store: Store
  clock: TestClock
  receiver: Receiver
  courier: Courier
  errors: unknown[]
  send(id: string, to?: string, from?: string): Promise<void>
  /** Ids of the messages that the receiver accepted, or received. */
  taken(): unknown[]
  got(): unknown[]
  /** Advances the clock until the condition holds. */
  passUntil(isTrue: () => boolean | Promise<boolean>, stepMs?: number): Promise<void>
  /** Opens another courier on the same store, as after a restart. */
  restart(): Promise<void>
}

async function world({ secrets = [webhookSecret], url = '', users = [] as readonly string[] } = {}): Promise<World> {
  const clock = new TestClock(Date.now())
  const room = new EventRoom({ mostEvents: 10_000, includesText: false })
  const store = await openMemoryStore({ limits: limitsWith(), clock, room })
  await registered(store, 'alice', 'bob', 'carol', ...users)
  const receiver = await startReceiver()
  const errors: unknown[] = []
  const keys = secrets.map(secret => webhookKeyOf(secret) as Uint8Array)
  const settings = { url: new URL(url || receiver.url), keys }
  const open = (): Courier =>
    new Courier({ store, clock, room, log: loggerInto(errors), send: receiverOf(settings, clock) })
  const made: World = {
    store,
    clock,
    receiver,
    courier: open(),
    errors,
    async send(id, to = 'bob', from = 'alice') {
      await store.commit(await undelivered(store, { from, to, id }))
    },
    taken: () => receiver.taken.map(({ data }) => data['id']),
    got: () => receiver.received.map(({ data }) => data['id']),
    passUntil: (isTrue, stepMs = 500) =>
      until(async () => {
        if (await isTrue()) return true
        clock.move(stepMs)
        return false
      }, 'an event'),
    async restart() {
      await made.courier.close()
      made.courier = open()
      await made.courier.start()
    },
  }
  await made.courier.start()
  onTestFinished(async () => {
    await made.courier.close()
    await store.close()
  })
  return made
}

test('an event reaches the receiver signed by Standard Webhooks, and is gone from the outbox', async () => {
  const { store, receiver, clock } = await world()
  const madeMs = clock.now()
  await store.commit(userChange('dora'))
  await until(() => receiver.taken.length === 1, 'the event')
  const [event] = receiver.received
  expect(event).toMatchObject({ type: 'user.registered', data: { user: 'dora' } })
  expect(event?.timestamp).toBe(new Date(madeMs).toISOString())
  expect(event?.headers).toMatchObject({
    'content-type': 'application/json',
    'webhook-id': expect.stringMatching(/^evt_/),
  })
  expect(() => verify(event as never, webhookSecret)).not.toThrow()
  expect(() => verify(event as never, otherSecret)).toThrow('No matching signature')
  await until(async () => (await store.outbox.count()).all === 0, 'an empty outbox')
})

test('while a secret is being replaced, a receiver with either one accepts an event', async () => {
  const { store, receiver } = await world({ secrets: [otherSecret, webhookSecret] })
  await store.commit(userChange('dora'))
  await until(() => receiver.taken.length === 1, 'the event')
  for (const secret of [webhookSecret, otherSecret]) {
    expect(() => verify(receiver.received[0] as never, secret)).not.toThrow()
  }
})

test("[D4] events of one user come in order while the receiver fails, and other users' events pass them", async () => {
  const { receiver, send, taken, passUntil } = await world()
  let failures = 3
  receiver.answer = ({ data }) => (data['recipient'] === 'bob' && failures-- > 0 ? 400 : 204)
  for (const id of ['m1', 'm2', 'm3']) await send(id)
  await send('other', 'carol')
  await passUntil(() => receiver.taken.length === 4)
  expect(taken()).toEqual(['other', 'm1', 'm2', 'm3'])
})

test('[D4] an event is sent again until the receiver takes it, later each time', async () => {
  const { receiver, clock, send, passUntil } = await world()
  receiver.answer = () => 400
  const triedMs: number[] = []
  receiver.answer = () => {
    triedMs.push(clock.now())
    return triedMs.length < 5 ? 400 : 204
  }
  await send('m1')
  await passUntil(() => receiver.taken.length === 1, 250)
  const waits = triedMs.slice(1).map((at, index) => at - (triedMs[index] as number))
  for (const [index, wait] of waits.entries()) expect(wait, `wait ${index}`).toBeGreaterThanOrEqual(1_000 * 2 ** index)
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1)
})

test('a receiver that hangs is given up after 15 seconds, no commit waits for it, and other users are served meanwhile', async () => {
  const { receiver, store, send, taken, got, clock, passUntil } = await world()
  let isHanging = true
  receiver.answer = ({ data }) => (data['recipient'] === 'bob' && isHanging ? 'hang' : 204)
  await send('m1')
  await until(() => got().length === 1, 'the first attempt')
  await send('m2', 'carol')
  await store.commit(userChange('dora'))
  await until(() => taken().length === 2, 'the events of others')
  clock.move(14_999)
  isHanging = false
  expect(got().filter(id => id === 'm1')).toHaveLength(1)
  await passUntil(() => taken().includes('m1'))
  expect(got().filter(id => id === 'm1')).toHaveLength(2)
})

test('a receiver that answers late, within its time, has taken the event', async () => {
  const { receiver, store, send, got, clock } = await world()
  let answer = (): void => undefined
  receiver.answer = () => (_, response) => {
    answer = () => response.writeHead(200).end('ok')
  }
  await send('m1')
  await until(() => got().length === 1, 'the first attempt')
  clock.move(10_000)
  answer()
  await until(async () => (await store.outbox.count()).all === 0, 'an empty outbox')
  expect(got()).toEqual(['m1'])
})

test('a redirect is a failure, and nothing is sent to where it leads', async () => {
  const { receiver, send, got, passUntil } = await world()
  const elsewhere = await startReceiver()
  let isRedirecting = true
  receiver.answer = () =>
    isRedirecting ? (_, response) => response.writeHead(307, { location: elsewhere.url }).end() : 204
  await send('m1')
  await until(() => got().length === 1, 'the first attempt')
  isRedirecting = false
  await passUntil(() => receiver.taken.length === 1)
  expect(elsewhere.received).toEqual([])
})

test('of a response without end nothing is kept, and the event counts as taken by its status', async () => {
  const { receiver, store, send } = await world()
  let written = 0
  receiver.answer = () => (_, response) => {
    response.writeHead(200)
    const more = (): void => {
      written += 65_536
      if (!response.destroyed && response.write(Buffer.alloc(65_536))) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  }
  await send('m1')
  await until(async () => (await store.outbox.count()).all === 0, 'an empty outbox')
  expect(written).toBeLessThan(64 * 1024 * 1024)
})

test('a receiver that is down gets one attempt at a time, and all that waits when it is back', async () => {
  const people = Array.from({ length: 40 }, (_, index) => `user ${index}`)
  const { receiver, courier, send, taken, got, passUntil } = await world({ users: people })
  let atOnce = 0
  let most = 0
  receiver.answer = () => (_, response) => {
    most = Math.max(most, ++atOnce)
    setTimeout(() => {
      atOnce--
      response.writeHead(503).end()
    }, 5)
  }
  for (const user of people) await send(`to ${user}`, user)
  await passUntil(() => receiver.received.length >= 12, 2_000)
  await until(() => atOnce === 0, 'the end of the first attempts')
  most = 0
  const before = got().length
  await passUntil(() => got().length >= before + 5, 5_000)
  expect(most).toBe(1)
  receiver.answer = () => 204
  await passUntil(() => receiver.taken.length >= 40, 2_000)
  expect(new Set(taken()).size).toBe(40)
  expect(courier.counts.failed).toBeGreaterThan(0)
})

test('an event that fails for a day is a dead letter, and the next one of its user follows', async () => {
  const { receiver, store, clock, send, taken, errors, passUntil } = await world()
  receiver.answer = ({ data }) => (data['id'] === 'poison' ? 400 : 204)
  await send('poison')
  await send('m2')
  await until(() => receiver.received.length > 0, 'the first attempt')
  clock.leap(25 * hourMs)
  await passUntil(async () => (await store.outbox.count()).dead === 1, 2_000)
  const [dead] = await store.outbox.dead(undefined, 10)
  expect(dead?.event).toMatchObject({ data: { id: 'poison' }, failed: { reason: 'status 400' } })
  await passUntil(() => taken().length === 1)
  expect(taken()).toEqual(['m2'])
  expect(errors).toHaveLength(1)
  receiver.answer = () => 204
  await store.commit({ type: 'events', revived: dead ? [dead.name] : [] })
  await until(() => taken().length === 2, 'the revived event')
  expect(taken()).toEqual(['m2', 'poison'])
})

test('[D4] what was written before a restart is delivered after it, in order', async () => {
  const { receiver, restart, send, taken, passUntil } = await world()
  receiver.answer = () => 500
  for (let index = 0; index < 30; index++) await send(`m${index}`)
  receiver.answer = () => 204
  await restart()
  await passUntil(() => receiver.taken.length >= 30)
  expect(taken()).toEqual(Array.from({ length: 30 }, (_, index) => `m${index}`))
})

test('[D7] of a user who is erased nothing more is sent, but that the account was erased', async () => {
  const { receiver, store, send, got, passUntil } = await world()
  receiver.answer = () => 500
  for (const id of ['m1', 'm2']) await send(id)
  await store.commit(rosterChange('alice', { bob: { levels: [2] } }))
  await until(() => receiver.received.length > 0, 'the first attempt')
  await store.commit({ type: 'erase', user: 'bob' })
  receiver.answer = () => 204
  await passUntil(async () => (await store.outbox.count()).all === 0)
  expect(got()).not.toContain('m2')
  expect(receiver.taken.map(({ type }) => type).sort()).toEqual(['user.erased'])
})

test('a receiver that asks for time gets it', async () => {
  const { receiver, clock, send, got, passUntil } = await world()
  receiver.answer = () => (_, response) => response.writeHead(429, { 'retry-after': '120' }).end()
  await send('m1')
  await until(() => got().length === 1, 'the first attempt')
  const begunMs = clock.now()
  receiver.answer = () => 204
  await passUntil(() => got().length === 2)
  expect(clock.now() - begunMs).toBeGreaterThanOrEqual(119_000)
})

test.each([
  [{ KITH_WEBHOOK_URL: 'ftp://host' }, /KITH_WEBHOOK_URL must be an address/],
  [{ KITH_WEBHOOK_URL: 'https://ada:secret@host/' }, /must have no user and password/],
  [{ KITH_WEBHOOK_URL: 'https://host/' }, /KITH_WEBHOOK_SECRET must be whsec_ and base64/],
  [{ KITH_WEBHOOK_URL: 'https://host/', KITH_WEBHOOK_SECRET: 'whsec_c2hvcnQ=' }, /24 to 64 bytes/],
  [{ KITH_WEBHOOK_URL: 'https://host/', KITH_WEBHOOK_SECRET: `${webhookSecret} `.repeat(3) }, /two of them/],
  [{ KITH_WEBHOOK_SECRET: webhookSecret }, /set KITH_WEBHOOK_URL too/],
  [
    { KITH_WEBHOOK_URL: 'https://host/', KITH_WEBHOOK_SECRET: webhookSecret, KITH_WEBHOOK_MOST_EVENTS: '0' },
    /1 or more/,
  ],
])('the settings %j of a webhook are refused, with what to do', (env, message) => {
  expect(() => readWebhook(env)).toThrow(message)
})

test('two secrets, a bound and the text are read from the settings of a webhook', () => {
  const env = { KITH_WEBHOOK_URL: 'https://host/kith', KITH_WEBHOOK_SECRET: `${otherSecret} ${webhookSecret}` }
  expect(readWebhook({})).toBe(undefined)
  expect(readWebhook(env)).toMatchObject({ includesText: false, mostEvents: 100_000 })
  expect(readWebhook(env)?.keys).toHaveLength(2)
  const more = { KITH_WEBHOOK_INCLUDE_TEXT: 'true', KITH_WEBHOOK_MOST_EVENTS: '7' }
  expect(readWebhook({ ...env, ...more })).toMatchObject({ includesText: true, mostEvents: 7 })
})

test('[D4] check finds an event that would not be delivered, and one that would not be erased', async () => {
  const database = await newDatabase('memory')
  const room = new EventRoom({ mostEvents: 10, includesText: false })
  const store = await storeOn(database, { limits: limitsWith(), clock: new TestClock(), room })
  await registered(store, 'alice', 'bob')
  await store.commit(await undelivered(store))
  expect((await check(database)).findings).toEqual([])
  const { name } = (await store.outbox.next('bob')) as StoredEvent
  await database.del(keys.eventLine('bob', name))
  await database.del(keys.eventAbout('alice', name))
  await database.put(keys.eventDead({ position: name.position + 1, index: 0 }), new Uint8Array())
  expect((await check(database)).findings).toEqual([
    { user: '', what: 'a record of the outbox is of no event' },
    { user: 'bob', what: 'an event of the outbox lacks a record' },
    { user: 'alice', what: 'an event of the outbox lacks a record' },
  ])
})

test('[D4] versions without an outbox may not open a folder while events are written or wait, and may again afterwards', async () => {
  const database = await newDatabase('memory')
  const options = { limits: limitsWith(), clock: new TestClock() }
  const minReader = async (): Promise<string> => new TextDecoder().decode(await database.get(keys.minReader))
  const store = await storeOn(database, { ...options, room: new EventRoom({ mostEvents: 10, includesText: false }) })
  expect(await minReader()).toBe('kith-3')
  await store.commit(userChange('alice'))
  const without = await storeOn(database, options)
  expect(await minReader()).toBe('kith-3')
  const [event] = await without.outbox.waiting(undefined, 1)
  await without.commit({ type: 'events', removed: event ? [event.name] : [] })
  await storeOn(database, options)
  expect(await minReader()).toBe('kith-1')
})

test('[D4] an event that is written while the last one is read is sent', async () => {
  const { store, receiver, send, taken } = await world()
  const next = store.outbox.next.bind(store.outbox)
  let isLate = true
  store.outbox.next = async (...which) => {
    const found = await next(...which)
    if (!found && isLate) {
      isLate = false
      await send('m2')
    }
    return found
  }
  await send('m1')
  await until(() => receiver.taken.length === 2, 'the second event')
  expect(taken()).toEqual(['m1', 'm2'])
})
