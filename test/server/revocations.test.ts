import type { Clock, Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openCluster } from '../support/cluster.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { mostAheadMs, Tokens } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const hourMs = 3_600_000
const isInstalled = (await findPostgres()) !== undefined

function tokensOf(store: Store, clock: Clock): Tokens {
  return new Tokens({ secret: new Uint8Array(32).fill(1) }, clock, user => store.revocation(user))
}

async function isValid(tokens: Tokens, token: string): Promise<boolean> {
  return tokens.verify(token).then(
    () => true,
    () => false,
  )
}

test('a token that was revoked stays so when the clock is set back and the tokens are revoked once more', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const tokens = tokensOf(store, clock)
  const token = await tokens.issue('alice', 10 * hourMs)
  await store.commit({ type: 'revoke', user: 'alice' })
  clock.leap(-hourMs)
  await store.commit({ type: 'revoke', user: 'alice' })
  clock.leap(2 * hourMs)
  expect(await isValid(tokens, token)).toBe(false)
})

test('a token is valid that is issued in the millisecond of a revocation, until the next one of that millisecond', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const tokens = tokensOf(store, clock)
  await store.commit({ type: 'revoke', user: 'alice' })
  const token = await tokens.issue('alice')
  expect(await isValid(tokens, token)).toBe(true)
  await store.commit({ type: 'revoke', user: 'alice' })
  expect(await isValid(tokens, token)).toBe(false)
})

test('a revocation that was dated by a clock years ahead is put right by the next one', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  clock.leap(5 * 365 * 24 * hourMs)
  await store.commit({ type: 'revoke', user: 'alice' })
  clock.leap(-5 * 365 * 24 * hourMs)
  await store.commit({ type: 'revoke', user: 'alice' })
  expect((await store.revocation('alice')).atMs).toBe(clock.now())
})

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('revocations on several nodes', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  test('[V4] nodes whose clocks are an hour apart revoke each other’s tokens, and only those issued before', async () => {
    const [early, late] = [new TestClock(Date.now() - hourMs), new TestClock(Date.now() + hourMs)]
    const { nodes } = await openCluster(postgres, 2)
    const pairs = [
      [tokensOf(nodes[0], early), nodes[1]],
      [tokensOf(nodes[1], late), nodes[0]],
    ] as const
    for (const [tokens, other] of pairs) {
      const before = await tokens.issue('alice', 10 * hourMs)
      await other.commit({ type: 'revoke', user: 'alice' })
      const after = await tokens.issue('alice', 10 * hourMs)
      expect([await isValid(tokens, before), await isValid(tokens, after)]).toEqual([false, true])
    }
  })

  test('a revocation is dated by the database, whatever the clock of the node says', async () => {
    const { nodes, client } = await openCluster(postgres, 1, new TestClock(Date.now() - 5 * hourMs))
    await nodes[0].commit({ type: 'revoke', user: 'alice' })
    const { rows } = await client.query(
      'select abs(revoked_at_ms - now_ms()) < 60000 as is_now from account where id = $1',
      ['alice'],
    )
    expect(rows).toEqual([{ is_now: true }])
  })

  test.each([
    ['an hour is raised', hourMs, true],
    ['more than a day is put right', 2 * mostAheadMs, false],
  ])(
    'a revocation that is ahead of the clock of the database by %s by the next one',
    async (_name, aheadMs, isRaised) => {
      const { nodes, client } = await openCluster(postgres, 1)
      await nodes[0].commit({ type: 'revoke', user: 'alice' })
      await client.query('update account set revoked_at_ms = now_ms() + $1', [aheadMs])
      const { atMs: before } = await nodes[0].revocation('alice')
      await nodes[0].commit({ type: 'revoke', user: 'alice' })
      const { atMs, nowMs } = await nodes[0].revocation('alice')
      expect(atMs > before).toBe(isRaised)
      expect(atMs <= nowMs).toBe(!isRaised)
    },
  )
})
