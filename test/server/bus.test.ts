import { randomUUID } from 'node:crypto'
import { systemClock } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { findNats, type NatsServer, startNats } from '../support/nats.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import {
  type Bus,
  type BusMessage,
  type Carrier,
  connectNats,
  type Letter,
  LocalHub,
  migrate,
  openBus,
  PostgresCarrier,
  sealEnvelope,
} from '../support/server-internals.ts'

// Servers are started for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** The medium that carries messages between the nodes of one cluster. */
interface Medium {
  carrier(): Promise<Carrier>
  /** Breaks all connections. They can be opened again. */
  cut(): Promise<void>
}

interface Kind {
  name: string
  isInstalled: boolean
  start(): Promise<void>
  stop(): Promise<void>
  /** Creates a separate cluster. */
  medium(): Promise<Medium>
}

const kinds: Kind[] = [local(), postgres((await findPostgres()) !== undefined), nats((await findNats()) !== undefined)]

function local(): Kind {
  return {
    ...{ name: 'of one process', isInstalled: true, start: async () => undefined, stop: async () => undefined },
    async medium() {
      const hub = new LocalHub()
      return { carrier: async () => hub.carrier(), cut: async () => hub.cut() }
    },
  }
}

function postgres(isInstalled: boolean): Kind {
  let server: PostgresServer
  return {
    ...{ name: 'over PostgreSQL', isInstalled },
    start: async () => {
      server = await startPostgres()
    },
    stop: () => server?.stop(),
    async medium() {
      const url = await server.newUrl()
      await migrate(url)
      return {
        async carrier() {
          const carrier = new PostgresCarrier(url, systemClock, 10_000)
          await carrier.connect()
          return carrier
        },
        async cut() {
          const client = new pg.Client({ connectionString: url })
          await client.connect()
          await client.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kith-bus'",
          )
          await client.end()
        },
      }
    },
  }
}

function nats(isInstalled: boolean): Kind {
  let server: NatsServer
  return {
    ...{ name: 'over NATS', isInstalled },
    start: async () => {
      server = await startNats()
    },
    stop: () => server?.stop(),
    async medium() {
      const prefix = `test-${randomUUID()}`
      return {
        carrier: () => connectNats(server.url, prefix),
        async cut() {
          await server.kill()
          await server.start()
        },
      }
    },
  }
}

const key = new Uint8Array(32).fill(1)

// In CI, a missing server is a failure.
describe.each(kinds)('the bus $name', ({ isInstalled, start, stop, medium }) => {
  describe.skipIf(!isInstalled && !process.env['CI'])('', () => {
    beforeAll(start)
    afterAll(stop)

    /** Nodes of one cluster, and the carrier of an outsider. */
    async function cluster(count: number) {
      const { carrier, cut } = await medium()
      const clock = new TestClock()
      const nodes = await Promise.all(
        Array.from({ length: count }, async () => {
          const errors: Error[] = []
          const refused = (error: Error): void => void errors.push(error)
          const bus = await openBus({ carrier: await carrier(), node: randomUUID(), key, clock, refused })
          onTestFinished(() => bus.close())
          return { bus, errors, heard: [] as BusMessage[] }
        }),
      )
      const outsider = await carrier()
      outsider.port = { gap: () => undefined, failed: () => undefined }
      onTestFinished(() => outsider.close())
      return { nodes: nodes as [Node, Node, ...Node[]], clock, cut, outsider }
    }

    test('a message to all reaches every other node that subscribes, in the order of its sender, and not the sender', async () => {
      const { nodes } = await cluster(3)
      for (const { bus, heard } of nodes) await bus.subscribe('presence', message => heard.push(message))
      const [sender, ...others] = nodes
      const sent = Array.from({ length: 300 }, (_, index) => stir(`user ${index}`))
      for (const message of sent) sender.bus.publish('presence', message)
      for (const { heard } of others) {
        await vi.waitFor(() => expect(heard).toHaveLength(300), 20_000)
        expect(heard).toEqual(sent)
      }
      // This request is answered after all earlier messages.
      answers(sender.bus)
      expect(await others[0]?.bus.request(sender.bus.node, letter('m'), 60_000)).toEqual({ type: 'taken' })
      expect(sender.heard).toEqual([])
    })

    test('equal messages all arrive', async () => {
      const { nodes } = await cluster(2)
      const [sender, { bus, heard }] = nodes
      await bus.subscribe('presence', message => heard.push(message))
      for (let count = 0; count < 5; count++) sender.bus.publish('presence', stir('alice'))
      await vi.waitFor(() => expect(heard).toHaveLength(5), 20_000)
    })

    test('after the end of a subscription nothing arrives', async () => {
      const { nodes } = await cluster(2)
      const [sender, { bus, heard }] = nodes
      const unsubscribe = await bus.subscribe('presence', message => heard.push(message))
      unsubscribe()
      sender.bus.publish('presence', stir('alice'))
      answers(bus)
      await sender.bus.request(bus.node, letter('m'), 60_000)
      expect(heard).toEqual([])
    })

    test('a request reaches the node that it names alone, and its answer the node that asked', async () => {
      const { nodes } = await cluster(3)
      const [first, second, third] = nodes
      const asked: string[] = []
      for (const { bus } of nodes) {
        bus.answer('letter', async ({ id }, from) => {
          asked.push(`${nodes.findIndex(one => one.bus === bus)} ${id} ${from === first.bus.node}`)
          return { type: 'taken' }
        })
      }
      expect(await first.bus.request(second.bus.node, letter('m1'), 60_000)).toEqual({ type: 'taken' })
      expect(await first.bus.request(third?.bus.node as string, letter('m2'), 60_000)).toEqual({ type: 'taken' })
      expect(asked).toEqual(['1 m1 true', '2 m2 true'])
    })

    test('messages larger than PostgreSQL takes in a notice arrive whole, and in their order among small ones', async () => {
      const { nodes } = await cluster(2)
      const [sender, { bus }] = nodes
      const got: Letter[] = []
      bus.answer('letter', async message => {
        got.push(message)
        return { type: 'taken' }
      })
      const sent = Array.from({ length: 20 }, (_, index) =>
        letter(`m${index}`, index % 3 === 0 ? '\u00e9\ud83d\ude00"\\\n'.repeat(20_000) : 'small'),
      )
      await Promise.all(sent.map(message => sender.bus.request(bus.node, message, 60_000)))
      expect(got).toEqual(sent)
    })

    test('a request without an answer ends at its deadline, and a late answer is ignored', async () => {
      const { nodes, clock } = await cluster(2)
      const [first, second] = nodes
      let answer: () => void = () => undefined
      const arrived = new Promise<void>(resolve => {
        second.bus.answer('letter', () => {
          resolve()
          return new Promise(resolve => {
            answer = () => resolve({ type: 'taken' })
          })
        })
      })
      const outcome = first.bus.request(second.bus.node, letter('m'), 9_000).catch((error: Error) => error.message)
      await arrived
      clock.move(8_999)
      answers(first.bus)
      await second.bus.request(first.bus.node, letter('m'), 60_000)
      clock.move(1)
      expect(await outcome).toBe(`node ${second.bus.node} did not answer in 9000 ms`)
      answer()
      expect(await first.bus.request(first.bus.node, letter('m'), 60_000)).toEqual({ type: 'taken' })
      const nobody = first.bus.request(randomUUID(), letter('m'), 9_000).catch((error: Error) => error.message)
      clock.move(9_000)
      expect(await nobody).toMatch(/did not answer in 9000 ms$/)
    })

    test('a node that cannot answer declines, with a reason that shows nothing of its inside', async () => {
      const { nodes } = await cluster(2)
      const [first, { bus, errors }] = nodes
      await expect(first.bus.request(bus.node, stir('alice'), 60_000)).rejects.toThrow('declined: no request is a stir')
      bus.answer('letter', () => Promise.reject(new Error('the password is hunter2')))
      await expect(first.bus.request(bus.node, letter('m'), 60_000)).rejects.toThrow(/declined: it failed$/)
      expect(errors.map(({ message }) => message)).toEqual(['the password is hunter2'])
    })

    test('a lost connection comes back by itself, nodes are told that they may have missed messages, and subscriptions hold', async () => {
      const { nodes, cut } = await cluster(2)
      const [sender, { bus, heard }] = nodes
      await bus.subscribe('presence', message => heard.push(message))
      answers(bus)
      const gaps = nodes.map(({ bus }) => new Promise<void>(resolve => bus.onGap(resolve)))
      await cut()
      await Promise.all(gaps)
      expect(await sender.bus.request(bus.node, letter('m'), 60_000)).toEqual({ type: 'taken' })
      sender.bus.publish('presence', stir('alice'))
      await vi.waitFor(() => expect(heard).toEqual([stir('alice')]), 20_000)
    })

    test('what no node of the cluster sends is refused with a clear error, and what comes after it arrives', async () => {
      const { nodes, outsider } = await cluster(2)
      const [sender, { bus, heard, errors }] = nodes
      await bus.subscribe('presence', message => heard.push(message))
      const subject = 'topic.presence'
      const sealed = (value: unknown): Uint8Array => sealEnvelope(key, subject, value as never)
      const say = (message: unknown): unknown => ({ kind: 'say', from: 'x', message })
      const newer = sealed(say(stir('alice')))
      newer[0] = 9
      const damaged = sealed(say(stir('alice')))
      damaged[20] = (damaged[20] as number) ^ 1
      const bad: [Uint8Array, RegExp][] = [
        [new Uint8Array(3), /3 bytes: too short/],
        [newer, /of version 9, and this node knows version 1: run one version of Kith on all nodes/],
        [damaged, /no node of this cluster sent/],
        [sealEnvelope(new Uint8Array(32), subject, say(stir('mallory')) as never), /no node of this cluster sent/],
        [sealEnvelope(key, `node.${bus.node}`, say(stir('mallory')) as never), /no node of this cluster sent/],
        [sealed([]), /an envelope that is no object/],
        [sealed({ kind: 'shout', from: 'x' }), /an envelope of an unknown kind: upgrade/],
        [sealed({ kind: 'say' }), /from is no text/],
        [sealed({ kind: 'ask', from: 'x', request: 1.5, message: stir('alice') }), /request is no whole number/],
        [sealed(say(undefined)), /a message that is no object/],
        [sealed(say({ type: 'dance' })), /the unknown type "dance": upgrade/],
        [sealed(say({ type: 'stir', users: 'alice' })), /users is no list/],
        [sealed(say({ type: 'stir', users: [' '] })), /no user id/],
        [sealed(say({ type: 'stir', users: Array(501).fill('alice') })), /more than 500 entries/],
        [sealed(say({ ...letter('m'), id: 'x'.repeat(65) })), /id has more than 64 characters/],
        [sealed(say({ ...letter('m'), text: 7 })), /text is no text/],
      ]
      for (const [bytes] of bad) outsider.publish(subject, bytes)
      await vi.waitFor(() => expect(errors).toHaveLength(bad.length), 20_000)
      for (const [index, [, message]] of bad.entries()) expect(errors[index]?.message).toMatch(message)
      sender.bus.publish('presence', stir('alice'))
      await vi.waitFor(() => expect(heard).toEqual([stir('alice')]), 20_000)
    })

    test('an answer counts from the node that was asked alone', async () => {
      const { nodes, outsider, clock } = await cluster(2)
      const [first, second] = nodes
      const arrived = new Promise<void>(resolve => {
        second.bus.answer('letter', async () => {
          resolve()
          return undefined
        })
      })
      const outcome = first.bus.request(second.bus.node, letter('m'), 9_000).catch((error: Error) => error.message)
      await arrived
      const subject = `node.${first.bus.node}`
      for (const request of [1, 2]) {
        const answer = { kind: 'answer', from: 'another', request, message: { type: 'taken' } } as const
        outsider.publish(subject, sealEnvelope(key, subject, answer))
      }
      outsider.publish(subject, new Uint8Array(1))
      await vi.waitFor(() => expect(first.errors).toHaveLength(1), 20_000)
      clock.move(9_000)
      expect(await outcome).toMatch(/did not answer/)
    })

    test('requests that wait end when their node closes its bus, and closing can be repeated', async () => {
      const { nodes } = await cluster(2)
      const [first, second] = nodes
      const outcome = first.bus.request(second.bus.node, letter('m'), 9_000).catch((error: Error) => error.message)
      await first.bus.close()
      await first.bus.close()
      expect(await outcome).toBe('this node is stopping')
      await expect(first.bus.request(second.bus.node, letter('m'), 9_000)).rejects.toThrow('stopping')
      first.bus.publish('presence', stir('alice'))
    })
  })
})

describe.skipIf(!(await findNats()) && !process.env['CI'])('NATS', () => {
  test('the user and password of the URL are those that a server asks for, and of several servers one is enough', async () => {
    const server = await startNats(['--user', 'kith', '--pass', 'a b:c'])
    onTestFinished(() => server.stop())
    const host = server.url.replace('nats://', '')
    await expect(connectNats(server.url, 'kith')).rejects.toThrow(/can be reached: .*authorization/i)
    const carrier = await connectNats(`nats://kith:a%20b%3Ac@127.0.0.1:1,${host}`, 'kith')
    await carrier.close()
  })

  test('clusters that share a server do not hear each other', async () => {
    const server = await startNats()
    onTestFinished(() => server.stop())
    const [first, second] = [await connectNats(server.url, 'kith.1'), await connectNats(server.url, 'kith.2')]
    const heard: string[] = []
    for (const [name, carrier] of Object.entries({ first, second }))
      await carrier.subscribe('x', () => heard.push(name))
    second.publish('x', new Uint8Array(1))
    first.publish('x', new Uint8Array(1))
    await vi.waitFor(() => expect(heard.sort()).toEqual(['first', 'second']), 20_000)
    await Promise.all([first.close(), second.close()])
  })
})

interface Node {
  bus: Bus
  errors: Error[]
  heard: BusMessage[]
}

function stir(user: string): BusMessage {
  return { type: 'stir', users: [user] }
}

function letter(id: string, text = 'hello'): Letter {
  return { type: 'letter', from: 'alice', to: 'bob', id, text }
}

function answers(bus: Bus): void {
  bus.answer('letter', async () => ({ type: 'taken' }))
}
