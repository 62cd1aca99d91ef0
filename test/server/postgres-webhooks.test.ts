import { EventRoom, type Store, systemClock } from '@kith/server'
import { defaultLimits } from '@kith/shared'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import {
  Courier,
  copy,
  migrate,
  openPostgresStore,
  receiverOf,
  registered,
  storeOn,
  undelivered,
  webhookKeyOf,
  withDatabase,
} from '../support/server-internals.ts'
import { loggerInto } from '../support/server-world.ts'
import { newDatabase } from '../support/stores.ts'
import { startReceiver, until, webhookSecret } from '../support/webhook-receiver.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

// In CI, a missing PostgreSQL is a failure.
const isInstalled = (await findPostgres()) !== undefined

describe.skipIf(!isInstalled && !process.env['CI'])('webhooks of several nodes on PostgreSQL', () => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  async function nodes(count: number): Promise<{ stores: Store[]; room: EventRoom }> {
    const url = await server.newUrl()
    await migrate(url)
    const room = new EventRoom({ mostEvents: 1_000, includesText: false })
    const stores: Store[] = []
    for (let node = 0; node < count; node++) {
      const store = await openPostgresStore(url, { limits: defaultLimits, clock: systemClock, room })
      stores.push(store)
      onTestFinished(() => store.close())
    }
    return { stores, room }
  }

  test('[D4] one node delivers the events of all nodes, once and in order, and another one goes on when it ends', async () => {
    const { stores, room } = await nodes(2)
    await registered(stores[0] as Store, 'alice', 'bob')
    const receiver = await startReceiver()
    const keys = [webhookKeyOf(webhookSecret) as Uint8Array]
    const couriers: Courier[] = []
    for (const store of stores) {
      const send = receiverOf({ url: new URL(receiver.url), keys }, systemClock)
      const courier = new Courier({ store, room, clock: systemClock, log: loggerInto([]), send })
      couriers.push(courier)
      await courier.start()
      onTestFinished(() => courier.close())
    }
    const ids: string[] = []
    const send = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        const id = `m${ids.length}`
        ids.push(id)
        const store = stores[index % stores.length] as Store
        await store.commit(await undelivered(store, { id, text: '' }))
      }
    }
    await send(20)
    // A delivery counts once its response has arrived.
    await until(() => couriers[0]?.counts.delivered === 20, 'the events of both nodes')
    expect([receiver.taken.length, couriers[1]?.counts.delivered]).toEqual([20, 0])
    await couriers[0]?.close()
    await send(20)
    await until(() => couriers[1]?.counts.delivered === 20, 'the events after the end of the first node')
    expect([receiver.taken.length, couriers[0]?.counts.delivered]).toEqual([40, 20])
    expect(receiver.taken.map(({ data }) => data['id'])).toEqual(ids)
    await until(async () => (await stores[0]?.outbox.count())?.all === 0, 'an empty outbox')
  })

  test('a claim excludes every other holder until it ends by the clock of the database', async () => {
    const { stores } = await nodes(2)
    const [first, second] = stores.map(({ outbox }) => outbox)
    const [one, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
    expect(await first?.claim(one as string, 1_500)).toBe(true)
    expect(await second?.claim(other as string, 60_000)).toBe(false)
    await second?.release(other as string)
    expect(await second?.claim(other as string, 60_000)).toBe(false)
    await until(async () => (await second?.claim(other as string, 60_000)) === true, 'the end of the claim')
    expect(await first?.claim(one as string, 1_000)).toBe(false)
  })

  test('[D7][D4] an event that one node settles while another erases its user does not come back', async () => {
    const { stores } = await nodes(2)
    const [first, second] = stores as [Store, Store]
    await registered(first, 'alice')
    for (let index = 0; index < 10; index++) {
      await first.commit({ type: 'user', user: 'bob' })
      await first.commit(await undelivered(first, { id: `m${index}`, text: '' }))
      const events = await first.outbox.waiting(undefined, 100)
      const ofBob = events.filter(({ event }) => event.type === 'message.undelivered')
      const dead = ofBob.map(({ name }) => ({ name, reason: 'status 400' }))
      await Promise.all([first.commit({ type: 'events', dead }), second.commit({ type: 'erase', user: 'bob' })])
      const left = [...(await first.outbox.waiting(undefined, 100)), ...(await first.outbox.dead(undefined, 100))]
      expect(new Set(left.map(({ event }) => event.type))).toEqual(new Set(['user.erased']))
    }
  })

  test('[D4] a copy from a data folder has the events that wait, and the dead letters', async () => {
    const room = new EventRoom({ mostEvents: 10, includesText: true })
    const options = { limits: defaultLimits, clock: systemClock, room }
    const database = await newDatabase('memory')
    const source = await storeOn(database, options)
    await registered(source, 'alice', 'bob')
    for (const id of ['m1', 'm2']) {
      await source.commit(await undelivered(source, { id }))
    }
    await source.commit({ type: 'user', user: 'carol' })
    const [first] = await source.outbox.waiting(undefined, 1)
    await source.commit({ type: 'events', dead: first ? [{ name: first.name, reason: 'status 400' }] : [] })
    const url = await server.newUrl()
    await migrate(url)
    await withDatabase(url, true, target => copy(database, target))
    const store = await openPostgresStore(url, options)
    onTestFinished(() => store.close())
    expect(await store.outbox.waiting(undefined, 10)).toEqual(await source.outbox.waiting(undefined, 10))
    expect(await store.outbox.dead(undefined, 10)).toEqual(await source.outbox.dead(undefined, 10))
    expect(await store.outbox.count()).toEqual({ all: 3, dead: 1 })
    expect((await store.outbox.next('bob'))?.event.data['id']).toBe('m2')
  })
})
