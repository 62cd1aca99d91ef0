import { EventRoom, openMemoryStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, onTestFinished, test } from 'vitest'
import { Courier, registered, type StoredEvent, undelivered } from '../support/server-internals.ts'
import { loggerInto } from '../support/server-world.ts'
import { limitsWith } from '../support/stores.ts'

const hourMs = 3_600_000
const users = Array.from({ length: 8 }, (_, index) => `user ${index}`)

/** A receiver without a network, so that a response takes no time on a busy machine either. */
interface Receiver {
  answer(id: unknown): number
  /** The ids of the messages that it was sent, and of those that it accepted. */
  readonly received: unknown[]
  readonly taken: unknown[]
}

interface World {
  clock: TestClock
  store: Store
  receiver: Receiver
  courier: Courier
  send(to: string, id?: string): Promise<unknown>
  /** Advances the clock in steps, until the condition holds or the time is over. Returns how long it took. */
  pass(mostMs: number, isOver?: () => boolean): Promise<number>
}

/** `faulty` replaces methods of the store that the courier uses. */
async function world(faulty: (store: Store) => Partial<Store> = () => ({})): Promise<World> {
  const clock = new TestClock(Date.now())
  const room = new EventRoom({ mostEvents: 10_000, includesText: false })
  const store = await openMemoryStore({ limits: limitsWith(), clock, room })
  await registered(store, 'alice', ...users)
  const receiver: Receiver = { answer: () => 204, received: [], taken: [] }
  const replaced = faulty(store)
  const faultyStore = new Proxy(store, {
    get: (target, name) => Reflect.get(name in replaced ? replaced : target, name),
  })
  const send = async ({ event }: StoredEvent) => {
    const id = event.data['id']
    receiver.received.push(id)
    const status = receiver.answer(id)
    if (status >= 300) return { isDelivered: false, reason: '', isOfReceiver: status >= 500, retryAfterMs: 0 } as const
    receiver.taken.push(id)
    return { isDelivered: true } as const
  }
  const courier = new Courier({ store: faultyStore, clock, room, log: loggerInto([]), send })
  onTestFinished(async () => {
    await courier.close()
    await store.close()
  })
  return {
    ...{ clock, store, receiver, courier },
    send: async (to, id = `to ${to}`) => store.commit(await undelivered(store, { to, id })),
    async pass(mostMs, isOver = () => false) {
      let passedMs = 0
      for (; passedMs < mostMs && !isOver(); passedMs += 4_000) {
        clock.move(4_000)
        for (let turn = 0; turn < 30; turn++) await new Promise(resolve => setImmediate(resolve))
      }
      return passedMs
    },
  }
}

/** Lets the receiver fail until it counts as down. */
async function outage({ receiver, courier, send, pass }: World): Promise<void> {
  receiver.answer = () => 503
  await courier.start()
  for (const user of users) await send(user)
  await pass(hourMs, () => receiver.received.length >= 30)
}

test.each([-2, 2])(
  'events are sent within minutes of the end of an outage, if the clock was set by %i hours',
  async hours => {
    const made = await world()
    await outage(made)
    made.clock.set(hours * hourMs)
    made.receiver.answer = () => 204
    expect(await made.pass(3 * hourMs, () => made.receiver.taken.length === users.length)).toBeLessThan(5 * 60_000)
  },
)

test('that events are missing is said again a minute later, if the clock was set back meanwhile', () => {
  const room = new EventRoom({ mostEvents: 0, includesText: false })
  const takenAt = [2 * hourMs, 2 * hourMs + 1, 0, 1].map(nowMs => room.take('alice', nowMs))
  expect(takenAt).toEqual(['instead', 'nothing', 'instead', 'nothing'])
})

test('[D4] the events that wait at the start are sent though reading them failed once', async () => {
  let failures = 1
  const made = await world(store => {
    const { outbox } = store
    const waiting: typeof outbox.waiting = async (...which) => {
      if (failures-- > 0) throw new Error('the connection was reset')
      return outbox.waiting(...which)
    }
    return { outbox: { ...outbox, waiting } }
  })
  await made.send('user 0')
  await made.courier.start()
  await made.pass(60_000, () => made.receiver.taken.length === 1)
  expect(made.receiver.taken).toHaveLength(1)
})

test('[D4] a clock that is set ahead by a week makes no event a dead letter', async () => {
  const made = await world()
  await outage(made)
  made.clock.set(7 * 24 * hourMs)
  await made.pass(3 * hourMs)
  expect(await made.store.outbox.count()).toEqual({ all: users.length, dead: 0 })
})

test('[D4] events that are old when the server starts become dead letters only after an hour of failures', async () => {
  const made = await world()
  made.receiver.answer = id => (id === 'poison' ? 400 : 503)
  await made.send('user 0', 'poison')
  for (const user of users.slice(1)) await made.send(user)
  made.clock.leap(48 * hourMs)
  await made.courier.start()
  await made.pass(0.9 * hourMs)
  expect((await made.store.outbox.count()).dead).toBe(0)
  await made.pass(0.3 * hourMs)
  expect((await made.store.outbox.count()).dead).toBe(users.length)
})

test('[D4] events are sent once while their removal cannot be written, and removed when it can', async () => {
  let attempts = 0
  let isFull = true
  const made = await world(store => ({
    commit: async change => {
      if (!isFull || change.type !== 'events') return store.commit(change)
      attempts++
      throw new Error('ENOSPC')
    },
  }))
  for (let index = 0; index < 20; index++) await made.send('user 0', `m${index}`)
  await made.courier.start()
  await made.pass(hourMs)
  expect(made.receiver.taken).toHaveLength(16)
  expect(attempts).toBeLessThan(30)
  isFull = false
  await made.pass(hourMs, () => made.receiver.taken.length === 20)
  expect(made.receiver.taken).toEqual(Array.from({ length: 20 }, (_, index) => `m${index}`))
  await made.pass(8_000)
  expect((await made.store.outbox.count()).all).toBe(0)
})
