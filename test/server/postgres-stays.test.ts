import { randomUUID } from 'node:crypto'
import { TestClock } from '@kith/server/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { Database, migrate, PostgresStays } from '../support/server-internals.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('stays of several nodes on one PostgreSQL database', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  async function cluster(count: number) {
    const url = await postgres.newUrl()
    await migrate(url)
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    onTestFinished(() => client.end().catch(() => undefined))
    /** Nodes that cannot record when users were last seen. */
    const cannotWrite = new Set<string>()
    const nodes = await Promise.all(
      Array.from({ length: count }, async () => {
        const clock = new TestClock()
        const here = new Map<string, { sessions: number; isOnline: boolean }>()
        const [stirred, dead, parted, errors] = [[] as string[], [] as string[], [] as string[], [] as unknown[]]
        const node = randomUUID()
        const failed = (error: unknown): void => void errors.push(error)
        const database = new Database(url, { most: 3, prepares: true })
        const stays = new PostgresStays({ node, clock, failed, database })
        await stays.start({
          localStay: user => here.get(user) ?? { sessions: 0, isOnline: false },
          localUsers: () => here.keys(),
          stirred: users => void stirred.push(...users),
          died: async users => {
            dead.push(...users.map(({ user, atMs }) => `${user} ${Math.abs(Date.now() - atMs) < 60_000}`))
            return !cannotWrite.has(node)
          },
          parted: users => void parted.push(...users),
        })
        onTestFinished(() => stays.close())
        const set = (user: string, sessions: number, isOnline = sessions > 0): void => {
          if (sessions > 0 || isOnline) here.set(user, { sessions, isOnline })
          else here.delete(user)
          stays.changed(user)
        }
        return { node, stays, clock, stirred, dead, parted, errors, set }
      }),
    )
    type Node = (typeof nodes)[number]
    return { client, cannotWrite, nodes: nodes as [Node, Node, ...Node[]] }
  }

  test('a node reads who is online on other nodes, on which, and with how many connections', async () => {
    const { nodes } = await cluster(3)
    const [first, second, third] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
    first.set('alice', 1)
    second.set('alice', 2)
    second.set('bob', 1, false)
    third.set('carol', 1)
    await vi.waitFor(async () => {
      expect([...(await first.stays.onlineElsewhere(['alice', 'bob', 'carol', 'dan']))].sort()).toEqual([
        'alice',
        'carol',
      ])
    }, 20_000)
    expect([...(await third.stays.onlineElsewhere(['carol']))]).toEqual([])
    expect(await first.stays.nodesOf('alice')).toEqual([second.node])
    expect(new Set(await third.stays.nodesOf('alice'))).toEqual(new Set([first.node, second.node]))
    expect(await first.stays.nodesOf('bob')).toEqual([])
    expect(await first.stays.sessionsElsewhere('alice')).toBe(2)
    expect(await first.stays.sessionsElsewhere('bob')).toBe(1)
    expect(await third.stays.sessionsElsewhere('alice')).toBe(3)
    expect(second.stirred).toEqual(['alice'])
    second.set('alice', 0)
    await vi.waitFor(() => expect(second.stirred).toEqual(['alice', 'alice']), 20_000)
    expect(await first.stays.nodesOf('alice')).toEqual([])
    await third.stays.close()
    expect([...(await first.stays.onlineElsewhere(['carol']))]).toEqual([])
  })

  test('of two nodes that a user leaves at the same time at least one knows that it is the last, and of two that the user leaves one after the other the second', async () => {
    const { nodes } = await cluster(2)
    const [first, second] = nodes
    for (const { set } of nodes) set('alice', 1)
    for (const { set } of nodes) set('bob', 1)
    await vi.waitFor(() => expect(nodes.flatMap(({ stirred }) => stirred)).toHaveLength(4), 20_000)
    const last = await Promise.all(nodes.map(({ stays }) => stays.leave(['alice'])))
    expect(last.some(users => users.has('alice'))).toBe(true)
    expect([...(await first.stays.leave(['bob']))]).toEqual([])
    first.set('bob', 0)
    expect([...(await second.stays.leave(['bob']))]).toEqual(['bob'])
    // A user who comes back counts as present.
    second.set('bob', 1)
    first.set('bob', 1)
    await vi.waitFor(async () => expect([...(await first.stays.leave(['bob']))]).toEqual([]), 20_000)
  })

  test('one of the others ends the stays of a node that is late, and knows who is online nowhere since', async () => {
    const { nodes, client } = await cluster(3)
    const [late, second, third] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
    for (const user of ['alice', 'bob']) late.set(user, 1)
    second.set('bob', 1)
    await vi.waitFor(() => expect(nodes.flatMap(({ stirred }) => stirred)).toHaveLength(3), 20_000)
    await client.query("update attending set late_at = clock_timestamp() - interval '1 s' where node = $1", [late.node])
    // Nodes that have just begun to send heartbeats leave it alone.
    for (const one of [second, third]) await beats(one, 1, client)
    expect(await second.stays.nodesOf('alice')).toEqual([late.node])
    await Promise.all([second, third].map(one => beats(one, 4, client)))
    await vi.waitFor(() => expect([...second.dead, ...third.dead]).toEqual(['alice true']), 20_000)
    await vi.waitFor(() => expect([...second.parted, ...third.parted]).toEqual(['alice']), 20_000)
    expect(await third.stays.nodesOf('alice')).toEqual([])
    expect(await third.stays.nodesOf('bob')).toEqual([second.node])
    // The late node was paused, and continues.
    late.clock.move(3_000)
    await vi.waitFor(async () => expect(await third.stays.nodesOf('alice')).toEqual([late.node]), 20_000)
    expect(late.stirred.filter(user => user === 'alice')).toHaveLength(2)
    for (const { errors } of nodes) expect(errors).toEqual([])
  })

  test('users of a node that ended are there until it is noted when they were last seen: if one node cannot note it, another one does', async () => {
    const { nodes, client, cannotWrite } = await cluster(3)
    const [late, second, third] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
    late.set('alice', 1)
    await vi.waitFor(() => expect(late.stirred).toEqual(['alice']), 20_000)
    const makeLate = "update attending set late_at = clock_timestamp() - interval '1 s' where node = $1"
    await client.query(makeLate, [late.node])
    cannotWrite.add(second.node)
    await beats(second, 5, client)
    await vi.waitFor(() => expect(second.dead).toEqual(['alice true']), 20_000)
    // Until the time expires for which the second node has claimed it.
    await beats(third, 5, client)
    expect([third.dead, second.parted, await third.stays.nodesOf('alice')]).toEqual([[], [], [late.node]])
    await client.query(makeLate, [late.node])
    await beats(third, 1, client)
    await vi.waitFor(() => expect(third.parted).toEqual(['alice']), 20_000)
    expect([third.dead, await second.stays.nodesOf('alice')]).toEqual([['alice true'], []])
    for (const { errors } of nodes) expect(errors).toEqual([])
  })

  test('a database that lost the table gets all stays again', async () => {
    const { nodes, client } = await cluster(2)
    const [first, second] = nodes
    first.set('alice', 1)
    await vi.waitFor(() => expect(first.stirred).toEqual(['alice']), 20_000)
    await client.query('truncate attending, stay')
    expect(await second.stays.nodesOf('alice')).toEqual([])
    first.clock.move(3_000)
    await vi.waitFor(async () => expect(await second.stays.nodesOf('alice')).toEqual([first.node]), 20_000)
    expect(first.stirred).toEqual(['alice', 'alice'])
  })

  test('a database that crashed, and lost the table, gets all stays again as soon as it answers', async () => {
    const { nodes } = await cluster(2)
    const [first, second] = nodes
    first.set('alice', 1)
    await vi.waitFor(() => expect(first.stirred).toEqual(['alice']), 20_000)
    await postgres.kill()
    first.clock.move(3_000)
    await vi.waitFor(() => expect(first.errors).toHaveLength(1), 20_000)
    await postgres.start()
    await vi.waitFor(async () => expect(await second.stays.nodesOf('alice')).toEqual([]), 20_000)
    first.clock.move(1_000)
    await vi.waitFor(async () => expect(await second.stays.nodesOf('alice')).toEqual([first.node]), 20_000)
  })

  test('a node that may have missed messages writes its stays again at once, if the database lost them', async () => {
    const { nodes, client } = await cluster(2)
    const [first, second] = nodes
    first.set('alice', 1)
    await vi.waitFor(() => expect(first.stirred).toEqual(['alice']), 20_000)
    await client.query('truncate attending, stay')
    await first.stays.again()
    await vi.waitFor(async () => expect(await second.stays.nodesOf('alice')).toEqual([first.node]), 20_000)
  })

  test('after a database that was away no node is taken for late that could not say that it was there', async () => {
    const { nodes, client } = await cluster(2)
    const [first, second] = nodes
    second.set('alice', 1)
    await vi.waitFor(() => expect(second.stirred).toEqual(['alice']), 20_000)
    await beats(first, 5, client)
    await client.query("update attending set late_at = clock_timestamp() - interval '1 s' where node = $1", [
      second.node,
    ])
    first.clock.leap(60_000)
    await beats(first, 3, client)
    expect(first.dead).toEqual([])
    expect(await first.stays.nodesOf('alice')).toEqual([second.node])
  })

  /** Lets a node send this many heartbeats, each with all the work that belongs to it. */
  async function beats(
    { node, clock, stays }: { node: string; clock: TestClock; stays: PostgresStays },
    count: number,
    client: pg.Client,
  ): Promise<void> {
    for (let left = count; left > 0; left--) {
      const { rows } = await client.query('select late_at as at from attending where node = $1', [node])
      clock.move(3_000)
      await vi.waitFor(async () => {
        const beaten = 'select from attending where node = $1 and late_at > $2'
        expect((await client.query(beaten, [node, rows[0].at])).rowCount).toBe(1)
      }, 20_000)
      // The writes are ordered, so this one follows the heartbeat.
      await stays.leave([])
    }
  }
})
