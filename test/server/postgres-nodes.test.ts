import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import type { Change, Clock, Commit, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { founderOf, generationOf, type KeyChange, profileKey, profileRoot } from '@kith/shared'
import { decodeFields } from '@kith/shared/wire'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import { atOnce, blocked, type Cluster, openCluster, pollingClock, until } from '../support/cluster.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { seed } from '../support/properties.ts'
import { following, profileChange, relationOf, rosterChange, Tokens, userChange } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('nodes on one PostgreSQL database', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  const cluster = (count: number, clock?: Clock): Promise<Cluster> => openCluster(postgres, count, clock)

  test('[F1] a node that waits until it is current has reported what another node had written before', async () => {
    const { nodes } = await cluster(2)
    const [first, second] = nodes as [Store, Store]
    for (let round = 0; round < 20; round++) {
      const [{ position }] = await Promise.all([
        first.commit(userChange(`user ${round}`)),
        second.commit(userChange(`other ${round}`)),
      ])
      await second.whenCurrent()
      expect(second.position).toBeGreaterThanOrEqual(position)
    }
  })

  test('[D2][F1] every node reports the commits of all nodes, in one order without gaps', async () => {
    const { nodes, reported } = await cluster(3, pollingClock())
    const commits = await Promise.all(
      Array.from({ length: 90 }, (_, index) => (nodes[index % 3] as Store).commit(userChange(`user ${index}`))),
    )
    expect(commits.map(({ position }) => position).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 90 }, (_, index) => index + 1),
    )
    await until(async () => nodes.every(({ position }) => position === 90))
    const [first] = reported
    expect(first?.map(({ position }) => position)).toEqual(Array.from({ length: 90 }, (_, index) => index + 1))
    for (const commits of reported) expect(commits.map(withoutSights)).toEqual(first?.map(withoutSights))
  })

  test.each(['the audience', 'the follow'])(
    '[V4] of an audience for nobody and a new follow that are derived at the same time on two nodes, the follower sees nothing, if %s is written first',
    async written => {
      const { nodes, client } = await cluster(2, pollingClock())
      const [first, second] = nodes
      await first.commit(profileChange('alice', { 0: 'Alice' }))
      await first.commit(userChange('bob'))
      const audience = (): Promise<Commit> => first.commit(rosterChange('alice', {}, { audience: 'nobody' }))
      const follow = (): Promise<Commit> => second.commit(following('bob', 'alice'))
      await atOnce(client, written === 'the audience' ? [audience, follow] : [follow, audience])
      for (const node of nodes) expect((await relationOf(node, 'bob', 'alice')).shown).toEqual([])
    },
  )

  test('[R1] of two nodes that refound a roster at once one does, and what a third has in memory is not written upon it', async () => {
    const { nodes } = await cluster(3, pollingClock())
    const [first, second, third] = nodes as [Store, Store, Store]
    const stale = accountsOver(third, pollingClock())
    const phone = stale.device('alice')
    phone.connect()
    for (let time = 0; time < 100; time++) {
      phone.edit([{ root: 'labels', key: time % 2 ? 'bob' : 'carol', value: `label ${time}` }])
    }
    await stale.accounts.idle()
    for (const node of nodes) await node.whenCurrent()
    const founding = [first, second].map(async node => {
      const { accounts } = accountsOver(node, pollingClock(), { refoundBytes: 512 })
      const account = accounts.of('alice')
      await new Promise<void>((resolve, reject) => account.task(() => account.refound('roster').then(resolve), reject))
      await accounts.idle()
    })
    await Promise.all(founding)
    phone.edit([{ root: 'labels', key: 'late', value: 'upon the ended generation' }])
    await stale.accounts.idle()
    for (const node of nodes) {
      await node.whenCurrent()
      const doc = new Y.Doc()
      for (const part of (await node.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
      expect(generationOf(founderOf(doc.store.clients.keys()))).toBe(1)
      expect(doc.getMap('labels').toJSON()).toEqual({ bob: 'label 99', carol: 'label 98' })
    }
    expect(phone.failures).toMatchObject([{ message: 'outdated' }])
  })

  test('[R1] a node refounds a roster with what another node has written since it read it', async () => {
    const { nodes } = await cluster(2, pollingClock())
    const [first, second] = nodes as [Store, Store]
    const [writing, founding] = [accountsOver(first, pollingClock()), accountsOver(second, pollingClock())]
    const phone = writing.device('alice')
    phone.connect()
    phone.edit([{ root: 'labels', key: 'bob', value: 'early' }])
    await writing.accounts.idle()
    await second.whenCurrent()
    expect(await founding.documents.founder('alice', 'roster')).toBe(0)
    phone.edit([{ root: 'labels', key: 'carol', value: 'late' }])
    await writing.accounts.idle()
    await founding.accounts.refound('alice', 'roster')
    const doc = new Y.Doc()
    for (const part of (await second.document('alice', 'roster')).parts) Y.applyUpdateV2(doc, part)
    expect(doc.getMap('labels').toJSON()).toEqual({ bob: 'early', carol: 'late' })
  })

  test('[D4] counts that two nodes derive from the same record at the same time are both in it', async () => {
    const { nodes, client } = await cluster(2, pollingClock())
    const [first, second] = nodes
    for (const owner of ['alice', 'carol']) await first.commit(profileChange(owner, { 1: owner }))
    await first.commit(userChange('bob'))
    await atOnce(client, [
      () => first.commit(rosterChange('alice', { bob: { levels: [1] } })),
      () => second.commit(rosterChange('carol', { bob: { levels: [1] } })),
    ])
    expect((await second.user('bob')).unasked).toBe(2)
  })

  test('[D2] a batch whose answer was lost is written once, and answered', async () => {
    const { nodes, reported, client } = await cluster(2, pollingClock())
    const [first, second] = nodes
    await first.commit(userChange('alice'))
    // With a standby that does not exist, a commit is on disk but its response waits.
    await client.query("alter system set synchronous_standby_names = 'missing'")
    await client.query('select pg_reload_conf()')
    const waiting = "application_name = 'kith' and wait_event = 'SyncRep'"
    const answered = first.commit(profileChange('alice', { 0: 'once' }))
    await until(async () => (await client.query(`select from pg_stat_activity where ${waiting}`)).rowCount === 1)
    await client.query('alter system reset synchronous_standby_names')
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${waiting}`)
    await client.query('select pg_reload_conf()')
    expect((await answered).position).toBe(2)
    await second.commit(userChange('bob'))
    // This commit follows the batch that was sent again.
    await first.commit(userChange('carol'))
    await until(async () => nodes.every(({ position }) => position >= 4))
    for (const commits of reported) expect(commits.map(({ position }) => position)).toEqual([1, 2, 3, 4])
    expect((await second.document('alice', 'profile')).parts).toHaveLength(1)
  })

  test('[F1] a node whose connection for notices was lost listens on another one', async () => {
    const { client } = await cluster(2, pollingClock())
    const listening = "application_name = 'kith' and datname = current_database() and query like 'listen %'"
    const pids = async (): Promise<number[]> => {
      const { rows } = await client.query(`select pid from pg_stat_activity where ${listening}`)
      return rows.map(({ pid }) => pid)
    }
    await until(async () => (await pids()).length === 2)
    const lost = await pids()
    await client.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [lost])
    await until(async () => (await pids()).filter(pid => !lost.includes(pid)).length === 2)
  })

  test('[V4] views and their levels are read in one state, whatever is written between the two reads', async () => {
    const { nodes, url } = await cluster(2)
    const [first, second] = nodes
    await first.commit(profileChange('alice', { 0: 'before' }))
    await first.commit(following('bob', 'alice'))
    const { at, levels } = await second.views('bob', ['alice'], () => {
      blockAndEdit(url)
      return [{ owner: 'alice', level: 0 }]
    })
    expect([at, levels[0]?.position]).toEqual([2, 1])
  })

  test('[D4] edits of one profile that two nodes admit at the same time are both in what viewers get', async () => {
    const { nodes, client } = await cluster(2, pollingClock())
    const [first, second] = nodes
    await first.commit(userChange('alice'))
    await until(async () => second.position === 1)
    const accounts = [first, second].map(store => accountsOver(store, new TestClock()))
    const devices = accounts.map(({ device }) => device('alice'))
    const write = (name: string): KeyChange => ({
      root: profileRoot,
      key: profileKey(0, 'writer-writer', name),
      value: 'x',
    })
    await client.query('begin; select from head for update')
    for (const [index, device] of devices.entries()) {
      device.edit([write(`field ${index}`)])
      await until(async () => (await blocked(client)) === index + 1)
    }
    await client.query('commit')
    for (const { accounts: queues } of accounts) await queues.idle()
    expect(devices.flatMap(({ failures }) => failures)).toEqual([])
    expect(devices.map(({ commits }) => commits)).toEqual([1, 1])
    const [level] = await first.levels([{ owner: 'alice', level: 0 }])
    expect(decodeFields(level?.fields ?? new Uint8Array())).toEqual({ 'field 0': 'x', 'field 1': 'x' })
  })

  test('[D7] a change of a session that another node has revoked since is rejected', async () => {
    const { nodes } = await cluster(2)
    const [first, second] = nodes
    const signedInAt = second.position
    await first.commit({ type: 'revoke', user: 'alice' })
    const change = { ...profileChange('alice', { 0: 'Alice' }), signedInAt }
    await expect(second.commit(change)).rejects.toThrow('a session of "alice" was revoked')
    expect((await second.commit({ ...change, signedInAt: 1 })).position).toBe(2)
  })

  test('[D7] what a session writes on one node after another node has erased the account brings no account back', async () => {
    const { nodes } = await cluster(2, pollingClock())
    const [first, second] = nodes
    await first.commit(userChange('alice'))
    await until(async () => second.position === 1)
    const { accounts, device } = accountsOver(second, new TestClock())
    const alice = device('alice')
    await first.commit({ type: 'revoke', user: 'alice' })
    await first.commit({ type: 'erase', user: 'alice' })
    alice.edit([{ root: profileRoot, key: profileKey(0, 'writer-writer', 'name'), value: 'Alice' }])
    await accounts.idle()
    expect(alice.failures).toHaveLength(1)
    expect((await first.document('alice', 'profile')).parts).toEqual([])
    expect((await second.user('alice')).registeredAt).toBe(0)
  })

  test('[V4] a token that one node has revoked counts on no other node from then on', async () => {
    const clock = new TestClock()
    const { nodes } = await cluster(2, clock)
    const [first, second] = nodes
    const tokens = new Tokens({ secret: new Uint8Array(32) }, clock, user => second.revocation(user))
    const token = await tokens.issue('alice')
    expect(await tokens.verify(token)).toMatchObject({ user: 'alice' })
    await first.commit({ type: 'revoke', user: 'alice' })
    await expect(tokens.verify(token)).rejects.toThrow('the token was revoked')
  })

  test('[F1] a node that has reported more than the database holds, after a failover that lost commits, says so, and goes on from there', async () => {
    const { nodes, client } = await cluster(2, pollingClock())
    const [first, second] = nodes
    for (const user of ['alice', 'bob', 'carol']) await first.commit(userChange(user))
    await until(async () => second.position === 3)
    let lost = 0
    second.onCommit({ committed: () => undefined, lost: () => lost++ })
    await client.query('begin; update head set position = 2; delete from log where last = 3; commit')
    await until(async () => lost > 0)
    expect([lost, second.position]).toEqual([1, 2])
    expect((await second.commit(userChange('dave'))).position).toBe(3)
  })

  test(
    '[D4][D2] after any changes on three nodes, all records are those of one store that makes the changes in their order',
    async () => {
      for (let round = 0; round < rounds; round++) await playOnThree(seed + round)
    },
    120_000 + rounds * 20_000,
  )

  async function playOnThree(start: number): Promise<void> {
    const { nodes, reported, client, close } = await cluster(3, pollingClock())
    const changes = fc.sample(changeOf, { seed: start, numRuns: 200 })
    const inOrder: { position: number; change: Change }[] = []
    for (let from = 0; from < changes.length; from += 24) {
      await Promise.all(
        changes.slice(from, from + 24).map(async (change, index) => {
          if (index % 5 === 0) await setImmediate()
          const { position } = await (nodes[index % 3] as Store).commit(change)
          inOrder.push({ position, change })
        }),
      )
    }
    await until(async () => nodes.every(({ position }) => position === changes.length))
    inOrder.sort((a, b) => a.position - b.position)
    const alone = storeOver(await newDatabase('memory'), new TestClock())
    for (const { change } of inOrder) await alone.commit(change)
    const [one] = nodes
    expect(await recordsOf(one), `seed ${start}`).toEqual(await recordsOf(alone))
    const [first] = reported
    for (const commits of reported) expect(commits.map(withoutSights)).toEqual(first?.map(withoutSights))
    expect((await client.query('select from log where last < first')).rowCount).toBe(0)
    await close()
  }

  async function recordsOf(store: Store): Promise<unknown> {
    return {
      users: await store.users(users),
      relations: await Promise.all(users.map(user => store.relations(user))),
      levels: await store.levels(users.flatMap(owner => [0, 1].map(level => ({ owner, level })))),
      asked: await Promise.all(users.flatMap(user => users.map(id => store.hasAsked(user, id)))),
    }
  }
})

/** The number of histories that three nodes play. */
const rounds = Number(process.env['KITH_CLUSTER_ROUNDS'] ?? 3)

const users = ['ann', 'ben', 'cid', 'dot', 'eve', 'fay']
const user = fc.constantFrom(...users)
const facts = fc.record({
  isContact: fc.boolean(),
  isSubscribed: fc.boolean(),
  isBlocked: fc.boolean(),
  levels: fc.subarray([0, 1]),
})

const changeOf: fc.Arbitrary<Change> = fc.oneof(
  fc
    .tuple(user, fc.dictionary(user, facts, { maxKeys: 2 }), fc.constantFrom('everyone', 'contacts', 'nobody'))
    .map(([id, said, audience]): Change => rosterChange(id, said, { audience } as never)),
  fc
    .tuple(user, fc.constantFrom(0, 1), fc.string({ maxLength: 3 }))
    .map(([id, level, name]) => profileChange(id, { [level]: name })),
  fc
    .tuple(user, user, fc.boolean())
    .filter(([a, b]) => a !== b)
    .map(([a, b, isPaired]): Change => ({ type: 'pair', a, b, isPaired })),
  fc.tuple(user, fc.boolean()).map(([id, restricted]) => userChange(id, { restricted })),
  fc.tuple(user, user).map(([id, owner]): Change => ({ type: 'lookup', user: id, owner })),
  user.map((id): Change => ({ type: 'promote', user: id })),
)

/** What a node reports to its listeners about a commit, its own or another node's. */
function withoutSights({ sights: _, elsewhere: __, ...commit }: Commit & { sights?: unknown }): unknown {
  return commit
}

/** Another node commits while this process is blocked. */
function blockAndEdit(url: string): void {
  const program = `
    const pg = require(${JSON.stringify(createRequire(import.meta.url).resolve('pg'))})
    const client = new pg.Client(${JSON.stringify(url)})
    client.connect().then(() => client.query(\`begin; update head set position = position + 2;
      update level set position = 4, fields = ''; commit\`)).then(() => client.end())`
  execFileSync(process.execPath, ['-e', program])
}
