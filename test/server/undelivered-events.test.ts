import { EventRoom, openMemoryStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import type { ServerMessage } from '@kith/shared/wire'
import { expect, onTestFinished, test } from 'vitest'
import {
  DirectMessages,
  Relay,
  registered,
  rosterChange,
  type Session,
  userChange,
} from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Alice sends Bob a message, which his device does not acknowledge. Returns the events after 9 s, and the outcome. */
async function eventsAfter(meanwhile: (store: Store) => Promise<unknown>): Promise<[string[], unknown]> {
  const clock = new TestClock()
  const room = new EventRoom({ mostEvents: 100, includesText: true })
  const store = await openMemoryStore({ limits: limitsWith(), clock, room })
  const relay = new Relay(store)
  const stop = store.onCommit(relay.listener)
  onTestFinished(async () => {
    stop()
    await store.close()
  })
  await registered(store, 'alice', 'bob')
  const said: ServerMessage[] = []
  const session = (user: string): Session =>
    ({
      user,
      hasArrived: true,
      say: (message: ServerMessage) => said.push(message),
    }) as never
  relay.join(session('bob'))
  const noteUndelivered = async (message: Parameters<typeof store.commit>[0]): Promise<void> =>
    void (await store.commit(message))
  const messages = new DirectMessages({ store, relay, limits: limitsWith(), clock, noteUndelivered })
  void messages.send(session('alice'), { id: 'm', to: 'bob', text: 'for the former Bob' })
  await settle()
  expect(said.map(({ type }) => type)).toEqual(['message'])
  await meanwhile(store)
  clock.move(9_000)
  await settle()
  const told = await store.outbox.waiting(undefined, 100)
  return [told.map(({ event }) => event.type), said.at(-1)]
}

const outcome = { type: 'outcome', id: 'm', state: 'unconfirmed' }

test('a message that no device acknowledges is an event', async () => {
  expect(await eventsAfter(async () => undefined)).toEqual([['message.undelivered'], outcome])
})

test.each(['alice', 'bob'])(
  '[D7] a message that waits while the account of %s is erased and the id is registered again is no event',
  async user => {
    const erased = async (store: Store): Promise<void> => {
      await store.commit({ type: 'erase', user })
      await store.commit(userChange(user))
    }
    expect(await eventsAfter(erased)).toEqual([['user.erased', 'user.registered'], outcome])
  },
)

test.each(['alice', 'bob'])(
  '[V1] a message that waits while %s blocks the other user is no event, and has the same outcome',
  async user => {
    const other = user === 'alice' ? 'bob' : 'alice'
    const [types, said] = await eventsAfter(store => store.commit(rosterChange(user, { [other]: { isBlocked: true } })))
    expect([types.includes('message.undelivered'), said]).toEqual([false, outcome])
  },
)
