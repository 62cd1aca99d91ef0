import type { Change } from '@kith/server'
import type { ContactFacts } from '@kith/shared'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { atOnce, openCluster } from '../support/cluster.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { profileChange, relationOf, rosterChange, userChange } from '../support/server-internals.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

/** Enough contacts that the change is not derived in the queue of the node. */
const many = 1_500

function contacts(facts: Partial<ContactFacts>): Record<string, Partial<ContactFacts>> {
  const names = Array.from({ length: many }, (_, index) => `user ${index}`)
  return Object.fromEntries(names.map(name => [name, { isContact: true, ...facts }]))
}

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('large changes on PostgreSQL', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  test('[S3] other users of a node do not wait while a change is derived that concerns many', async () => {
    const { nodes } = await openCluster(postgres, 1)
    const [node] = nodes
    const large = node.commit(rosterChange('alice', contacts({ isSubscribed: true })))
    const { position } = await node.commit(userChange('bob'))
    expect(position).toBeLessThan((await large).position)
    // The change itself does not show how many users it concerns.
    const hidden = node.commit(rosterChange('alice', {}, { audience: 'nobody' }))
    const small = await Promise.all(['carol', 'dave'].map(user => node.commit(userChange(user))))
    expect(small.every(one => one.position > position)).toBe(true)
    expect(Math.max(...small.map(one => one.position))).toBeLessThan((await hidden).position)
  })

  test.each<[string, Change, object]>([
    ['what a contact writes of a profile', profileChange('user 7', { 3: 'Seven' }), { levels: { '3': 3 } }],
    ['when a contact was last seen', { type: 'seen', users: [{ user: 'user 7', minute: 77 }] }, { lastSeenMinute: 77 }],
  ])('[D4] %s stays when a large change is written that was derived before', async (_what, change, expected) => {
    const { nodes, client } = await openCluster(postgres, 2)
    const [first, second] = nodes
    await first.commit(userChange('user 7'))
    await first.commit(rosterChange('alice', contacts({})))
    // The first grant is also recorded in the record of who may see more, which the large change writes.
    await atOnce(client, [
      () => second.commit(change),
      () => first.commit(rosterChange('alice', contacts({ levels: [4] }))),
    ])
    expect(await first.user('user 7')).toMatchObject({ ...expected, unasked: 1 })
    expect((await relationOf(first, 'user 7', 'alice')).theirs.levels).toEqual([4])
    expect(first.node?.conflicts).toBe(0)
  })

  test('[D4] when they were last seen is noted of all who are named at once', async () => {
    const { nodes } = await openCluster(postgres, 1)
    const [node] = nodes
    const seen = Array.from({ length: 600 }, (_, index) => `user ${index}`)
    await Promise.all(seen.map(user => node.commit(userChange(user))))
    await node.commit({ type: 'seen', users: seen.map(user => ({ user, minute: 77 })) })
    const minutes = (await node.users(seen)).map(({ lastSeenMinute }) => lastSeenMinute)
    expect(new Set(minutes)).toEqual(new Set([77]))
  })

  test('[V4] a large change is derived again if a contact has blocked the user since', async () => {
    const { nodes, client } = await openCluster(postgres, 2)
    const [first, second] = nodes
    await first.commit(profileChange('user 7', { 0: 'Seven' }))
    await first.commit(profileChange('alice', { 0: 'Alice', 4: 'A' }))
    await second.whenCurrent()
    await atOnce(client, [
      () => second.commit(rosterChange('user 7', { alice: { isBlocked: true } })),
      () => first.commit(rosterChange('alice', contacts({ levels: [4], isSubscribed: true }))),
    ])
    expect((await relationOf(first, 'user 7', 'alice')).shown).toEqual([])
    expect((await relationOf(first, 'alice', 'user 7')).shown).toEqual([])
    expect(first.node?.conflicts).toBe(1)
  })
})
