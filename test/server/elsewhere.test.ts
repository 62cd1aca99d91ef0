import { openMemoryStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import type { Audience } from '@kith/shared'
import { decodeFrame, type PresenceState, type ServerMessage } from '@kith/shared/wire'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryStays } from '../support/memory-stays.ts'
import { atOnce } from '../support/outlets.ts'
import {
  type BusMessage,
  DirectMessages,
  Feed,
  Letters,
  LocalHub,
  openBus,
  Presence,
  PresenceElsewhere,
  PresenceSubscription,
  PresenceSubscriptions,
  Relay,
  rosterChange,
  type Session,
  userChange,
  type View,
} from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

const hello = { id: 'm', to: 'bob', text: 'hello' }

test('a message reaches the devices on another node, and what they acknowledge is delivered', async () => {
  const { here, there, rest } = await twoNodes()
  const [alice, bob] = [here.device('alice'), there.device('bob')]
  await rest()
  void here.messages.send(alice.session, hello)
  await rest()
  expect([alice.said, bob.said]).toEqual([[], [{ type: 'message', id: 'm', from: 'alice', text: 'hello' }]])
  there.messages.received('bob', { from: 'alice', id: 'm' })
  await rest()
  expect(alice.said).toEqual([{ type: 'outcome', id: 'm', state: 'delivered' }])
})

test('a message that no device on any node acknowledges, or whose node does not answer, is undelivered within the sender’s 10 seconds', async () => {
  const { here, there, clock, stays, rest } = await twoNodes()
  const alice = here.device('alice')
  there.device('bob')
  stays.add('a node that is gone', 'bob')
  await rest()
  void here.messages.send(alice.session, hello)
  await rest()
  clock.move(8_999)
  await rest()
  expect(alice.said).toEqual([])
  clock.move(1)
  await rest()
  expect(alice.said).toEqual([{ type: 'outcome', id: 'm', state: 'undelivered' }])
})

test('a message to a user who is on no node is undelivered at once', async () => {
  const { here, rest } = await twoNodes()
  const alice = here.device('alice')
  void here.messages.send(alice.session, hello)
  await rest()
  expect(alice.said).toEqual([{ type: 'outcome', id: 'm', state: 'undelivered' }])
})

test('[V1][V4] the node of the receiver checks a message by its own state, so a block written on the way holds', async () => {
  const { here, there, store, clock, rest } = await twoNodes()
  const [alice, bob] = [here.device('alice'), there.device('bob')]
  await rest()
  there.beforeReading(() => store.commit(rosterChange('bob', { alice: { isBlocked: true } })))
  void here.messages.send(alice.session, hello)
  await rest()
  clock.move(9_000)
  await rest()
  expect([alice.said, bob.said]).toEqual([[{ type: 'outcome', id: 'm', state: 'undelivered' }], []])
})

test('[V4] a block written while the node of the receiver checks a message keeps it back', async () => {
  const { here, there, store, clock, rest } = await twoNodes()
  const [alice, bob] = [here.device('alice'), there.device('bob')]
  await rest()
  there.afterReading(() => store.commit(rosterChange('bob', { alice: { isBlocked: true } })))
  void here.messages.send(alice.session, hello)
  await rest()
  clock.move(9_000)
  await rest()
  expect(bob.said).toEqual([])
})

test('[D7] a message on its way between nodes is not handed to the next holder of the recipient’s id, nor sent for the next holder of the sender’s', async () => {
  for (const user of ['alice', 'bob']) {
    const { here, there, store, clock, rest } = await twoNodes()
    const [alice, bob] = [here.device('alice'), there.device('bob')]
    await rest()
    there.beforeReading(async () => {
      await store.commit({ type: 'erase', user })
      await store.commit(userChange(user))
    })
    void here.messages.send(alice.session, hello)
    await rest()
    clock.move(9_000)
    await rest()
    expect(bob.said).toEqual([])
  }
})

test('[V4] the node of the receiver holds a message to its own message policy', async () => {
  const { here, there, clock, rest } = await twoNodes({ policyThere: 'nobody' })
  const [alice, bob] = [here.device('alice'), there.device('bob')]
  await rest()
  void here.messages.send(alice.session, hello)
  await rest()
  clock.move(9_000)
  await rest()
  expect([alice.said, bob.said]).toEqual([[{ type: 'outcome', id: 'm', state: 'undelivered' }], []])
})

test('[V3][V10] of a message of a blocked sender other nodes hear nothing, and its outcome comes when that for an absent user does', async () => {
  const { here, there, store, clock, published, rest } = await twoNodes()
  await store.commit(rosterChange('bob', { alice: { isBlocked: true } }))
  const [alice, bob] = [here.device('alice'), there.device('bob')]
  await rest(50)
  published.length = 0
  void here.messages.send(alice.session, hello)
  void here.messages.send(alice.session, { ...hello, id: 'absent', to: 'absent' })
  await rest()
  clock.move(999)
  await rest()
  expect(alice.said).toEqual([])
  clock.move(1)
  await rest()
  const outcomes = ['m', 'absent'].map(id => ({ type: 'outcome', id, state: 'unconfirmed' }))
  expect([alice.said, bob.said, published]).toEqual([outcomes, [], []])
})

test('a viewer is told that an owner came on another node, and left it, with the time', async () => {
  const { here, there, clock, rest } = await twoNodes()
  const { told } = here.watch('alice', 'bob')
  await rest()
  expect(told).toEqual([{ is: 'offline', lastSeenMinute: undefined }])
  clock.move(10_000)
  there.presence.came('bob')
  await rest(50)
  expect(told.at(-1)).toEqual({ is: 'online' })
  clock.move(60_000)
  there.presence.left('bob')
  const minute = Math.floor(clock.now() / 60_000)
  clock.move(9_999)
  await rest(50)
  expect(told).toHaveLength(2)
  clock.move(1_000)
  await rest(50)
  expect(told.slice(2)).toEqual([{ is: 'offline', lastSeenMinute: minute }])
})

test('a user whose devices left one node and not another stays online, and is not noted as seen', async () => {
  const { here, there, store, clock, rest } = await twoNodes()
  const { told } = here.watch('alice', 'bob')
  for (const { presence } of [here, there]) presence.came('bob')
  await rest(50)
  here.presence.left('bob')
  clock.move(12_000)
  await rest(50)
  expect((await store.user('bob')).lastSeenMinute ?? 0).toBe(0)
  clock.move(12_000)
  await rest(50)
  expect(told.at(-1)).toEqual({ is: 'online' })
  there.presence.left('bob')
  clock.move(12_000)
  await rest(50)
  clock.move(12_000)
  await rest(50)
  expect(told.at(-1)).toMatchObject({ is: 'offline' })
  expect((await store.user('bob')).lastSeenMinute).toBeGreaterThan(0)
})

test('an owner who comes on another node while that is being read is read again', async () => {
  const { here, there, clock, rest } = await twoNodes()
  let go: () => void = () => undefined
  here.holdOnline(
    new Promise(resolve => {
      go = resolve
    }),
  )
  const { told } = here.watch('alice', 'bob')
  await rest()
  there.presence.came('bob')
  await rest(50)
  expect(told).toEqual([])
  go()
  await rest()
  clock.move(10_000)
  await rest()
  expect(told.at(-1)).toEqual({ is: 'online' })
})

test('a lost message between nodes costs 30 seconds, and a lost connection is made up for when it is there again', async () => {
  const { here, there, hub, clock, rest } = await twoNodes()
  const { told } = here.watch('alice', 'bob')
  await rest()
  clock.move(10_000)
  there.presence.came('bob')
  clock.move(50)
  hub.cut()
  await rest()
  expect(told.at(-1), 'after a lost connection').toEqual({ is: 'online' })
  const other = here.watch('alice', 'carol')
  await rest()
  there.loseMessages()
  clock.move(10_000)
  there.presence.came('carol')
  clock.move(50)
  await rest()
  expect(other.told).toHaveLength(1)
  clock.move(30_000)
  await rest()
  expect(other.told.at(-1)).toEqual({ is: 'online' })
})

test('users are found on other nodes again when the connection between the nodes is, if their stays were lost with it', async () => {
  const { here, there, hub, clock, stays, rest } = await twoNodes()
  there.presence.came('bob')
  await rest()
  stays.clear()
  hub.cut()
  await rest()
  clock.move(10_000)
  const { told } = here.watch('alice', 'bob')
  await rest()
  expect(told.at(-1)).toEqual({ is: 'online' })
})

test('users who come at the same time are one message', async () => {
  const { there, published, rest } = await twoNodes()
  const users = Array.from({ length: 700 }, (_, index) => `user ${index}`)
  for (const user of users) there.presence.came(user)
  await rest(50)
  expect(published).toEqual([
    { type: 'stir', users: users.slice(0, 500) },
    { type: 'stir', users: users.slice(500) },
  ])
})

/** Two nodes over one store. Alice and other users follow each other. */
async function twoNodes({ policyThere }: { policyThere?: Audience } = {}) {
  const clock = new TestClock()
  const limits = limitsWith()
  const store = await openMemoryStore({ limits, clock })
  for (const user of ['bob', 'carol', 'absent']) await store.commit(userChange(user))
  await store.commit(rosterChange('alice', { bob: { isSubscribed: true }, carol: { isSubscribed: true } }))
  onTestFinished(() => store.close())
  const [hub, stays, published] = [new LocalHub(), new MemoryStays(), [] as BusMessage[]]
  const node = async (name: string, widest?: Audience) =>
    nodeOver({ ...{ name, store, clock, hub, stays, published, widest } })
  const [here, there] = [await node('here'), await node('there', policyThere)]
  return {
    ...{ here, there, store, clock, hub, stays, published },
    /** Lets everything run that does not wait for the clock, before and after the clock advances. */
    async rest(ms = 0) {
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
      clock.move(ms)
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    },
  }
}

interface NodeOptions {
  name: string
  store: Store
  clock: TestClock
  hub: LocalHub
  stays: MemoryStays
  published: BusMessage[]
  widest?: Audience | undefined
}

async function nodeOver({ name, store: inner, clock, hub, stays: table, published, widest }: NodeOptions) {
  const limits = limitsWith()
  let [before, after]: ((() => Promise<unknown>) | undefined)[] = []
  const views: Store['views'] = async (...args) => {
    const [first, last] = [before, after]
    before = undefined
    after = undefined
    await first?.()
    const read = await inner.views(...args)
    await last?.()
    return read
  }
  const store = new Proxy(inner, {
    get: (target, key) => (key === 'views' ? views : Reflect.get(target, key, target)),
  })
  const fail = (error: unknown): never => {
    throw error
  }
  const bus = await openBus({ carrier: hub.carrier(), node: name, key: new Uint8Array(32), clock, refused: fail })
  let isLosing = false
  const { publish, request } = bus
  bus.publish = (topic, message) => {
    published.push(message)
    if (!isLosing) publish.call(bus, topic, message)
  }
  bus.request = (other, message, deadlineMs) => {
    published.push(message)
    return request.call(bus, other, message, deadlineMs)
  }
  const stays = table.of(name)
  let held: Promise<void> | undefined
  const { onlineElsewhere } = stays
  stays.onlineElsewhere = async users => {
    const online = await onlineElsewhere(users)
    await held
    return online
  }
  const relay = new Relay(store)
  const subscriptions = new PresenceSubscriptions()
  const stops = [relay, subscriptions].map(({ listener }) => store.onCommit(listener))
  const elsewhere = new PresenceElsewhere({ bus, stays, subscriptions, clock, failed: fail })
  const presence = new Presence({ store, subscriptions, clock, log: { warn: fail } as never, elsewhere })
  const messages = new DirectMessages({
    store,
    relay,
    limits,
    clock,
    widest,
    letters: new Letters({ bus, stays, failed: fail }),
  })
  await elsewhere.start()
  await stays.start({
    localStay: user => ({ sessions: relay.sessionsOf(user).size, isOnline: presence.isOnline(user) }),
    localUsers: () => presence.users,
    stirred: users => elsewhere.stirred(users),
    died: async () => true,
    parted: () => undefined,
  })
  onTestFinished(async () => {
    for (const stop of stops) stop()
    elsewhere.close()
    await bus.close()
  })
  return {
    ...{ messages, presence },
    beforeReading(run: () => Promise<unknown>) {
      before = run
    },
    afterReading(run: () => Promise<unknown>) {
      after = run
    },
    /** Holds back reads about other nodes until this promise resolves. */
    holdOnline(until: Promise<void>) {
      held = until
    },
    loseMessages() {
      isLosing = true
    },

    /** A device that accepts Kith's messages. */
    device(user: string) {
      const said: ServerMessage[] = []
      const session = {
        ...{ user, hasArrived: true, say: (message: ServerMessage) => said.push(message) },
        feed: {
          ...{ user, recheck: () => undefined, recheckFetched: () => undefined, recheckMany: () => [], fail },
          levelsOf: (_: string, view: View) => view.relation.shown,
        },
      } as never as Session
      relay.join(session)
      presence.came(user)
      return { session, said }
    },

    /** A device of a viewer who watches an owner. */
    watch(viewer: string, owner: string) {
      const told: PresenceState[] = []
      const outlet = {
        outstandingBytes: 0,
        together: atOnce,
        send(frame: Uint8Array) {
          const message = decodeFrame(frame)
          if (message.type === 'presence') told.push(message.state)
        },
        fail,
      }
      const maxOutstandingBytes = 64 * 1024
      const feed = new Feed(viewer, relay, outlet, maxOutstandingBytes)
      const port = { user: viewer, relay, presence, feed, clock, maxOutstandingBytes }
      const subscription = new PresenceSubscription(port, outlet)
      subscription.replace(new Set([owner]))
      return { told }
    },
  }
}
