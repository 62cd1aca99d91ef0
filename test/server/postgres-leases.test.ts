import { execFileSync } from 'node:child_process'
import type { Commit, Store } from '@kith/server'
import { startTestServer, TestClock } from '@kith/server/testing'
import { type KeyChange, nonceKey, profileKey, profileRoot } from '@kith/shared'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AccountWorld, accountsOver } from '../support/account-world.ts'
import { openCluster, pollingClock, until } from '../support/cluster.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { BackendEdits, following, profileChange, Relay, rosterChange, userChange } from '../support/server-internals.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('the leases of nodes on one PostgreSQL database', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  const aliceBlocksBob = rosterChange('alice', { bob: { isBlocked: true } })

  /** Bob follows Alice, and sees level 0. */
  async function aliceAndBob(node: Store): Promise<void> {
    await node.commit(profileChange('alice', { 0: 'Alice' }))
    await node.commit(following('bob', 'alice'))
  }

  /** Holds back a node's reports from now on, until the returned function is called. */
  function holdReports(node: Store): () => void {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    node.onCommit({ writing: () => held, committed: () => undefined })
    onTestFinished(release)
    return release
  }

  /** A node with a lease of the given duration. It has applied all commits, but reports nothing more. */
  async function lateNode() {
    const { nodes, client, join } = await openCluster(postgres, 1, pollingClock())
    const [first] = nodes
    const leaseClock = new TestClock()
    const node = await join(pollingClock(), leaseClock)
    await aliceAndBob(first)
    await until(async () => node.position === 2)
    const releaseReports = holdReports(node)
    const release = async (): Promise<void> => {
      releaseReports()
      await until(async () => {
        leaseClock.move(1)
        return node.lease.isCurrent()
      })
    }
    const late = {
      lease: node.lease,
      get position() {
        return node.position
      },
      release,
    }
    return { first, late, leaseClock, client }
  }

  /** Resolves when both leases have been renewed twice since. */
  async function renewedTwice(client: pg.Client): Promise<void> {
    for (let time = 0; time < 2; time++) {
      const { rows } = await client.query('select max(lease_until) as until from node')
      await until(async () => {
        const renewed = await client.query('select from node where lease_until > $1', [rows[0].until])
        return renewed.rowCount === 2
      })
    }
  }

  /** Returns a function that tells whether the promise has settled. */
  function watched(promise: Promise<unknown>): () => boolean {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    return () => isSettled
  }

  test('[V4] a node that stood still between a check and its hand-over hands nothing over, if its lease ran out and another node has answered a block', async () => {
    const { nodes, url } = await openCluster(postgres, 2)
    const [first, second] = nodes
    await aliceAndBob(first)
    await second.close()
    const relay = new Relay(first)
    first.onCommit(relay.listener)
    const shown: (readonly number[])[] = []
    let reads = 0
    await relay.reads.read(
      async () => {
        const looked = await first.views('bob', ['alice'])
        // This process is blocked until another one has committed the block.
        if (reads++ === 0) commitElsewhere(url, aliceBlocksBob)
        return looked
      },
      ({ views }) => shown.push(views[0]?.relation.shown ?? []),
    )
    expect(shown).toEqual([[]])
  })

  test('[V4][D2] a block is answered only when each other node has applied it', async () => {
    const { nodes, client } = await openCluster(postgres, 2, pollingClock())
    const [first, second] = nodes
    await aliceAndBob(first)
    await until(async () => second.position === first.position)
    const release = holdReports(second)
    const { accounts, device } = accountsOver(first, new TestClock())
    const phone = device('alice')
    const blocks: KeyChange = { root: 'blocks', key: nonceKey('nonce-nonce', 'bob'), value: true }
    phone.edit([blocks])
    let isReached = false
    accounts.of('alice').task(
      () => {
        isReached = true
      },
      () => undefined,
    )
    await until(async () => first.position === 3)
    await renewedTwice(client)
    expect([phone.commits, isReached, second.position]).toEqual([0, false, 2])
    release()
    await until(async () => isReached)
    expect([phone.commits, second.position]).toEqual([1, 3])
  })

  test('[V4][R4] a narrower message audience, by a device or the backend, is answered only when each other node has applied it, a wider one at once', async () => {
    const { nodes, client } = await openCluster(postgres, 2, pollingClock())
    const [first, second] = nodes
    await aliceAndBob(first)
    await until(async () => second.position === first.position)
    const { accounts, device } = accountsOver(first, new TestClock())
    const phone = device('alice')
    const edits = new BackendEdits(first, accounts)
    const contactsOnly: KeyChange = {
      root: 'privacy',
      key: nonceKey('nonce-nonce', 'messagesContactsOnly'),
      value: true,
    }
    for (const narrow of [() => phone.edit([contactsOnly]), () => edits.setMessageAudience('alice', 'nobody')]) {
      const release = holdReports(second)
      const position = first.position + 1
      const isAnswered = watched(Promise.resolve(narrow()).then(() => barrierOf(accounts)))
      await until(async () => first.position === position)
      await renewedTwice(client)
      expect([isAnswered(), second.position]).toEqual([false, position - 1])
      release()
      await until(async () => isAnswered() && second.position === position)
    }
    const release = holdReports(second)
    await edits.setMessageAudience('alice', 'everyone')
    expect((await first.user('alice')).messageAudience).toBe(undefined)
    expect(second.position).toBeLessThan(first.position)
    release()
  })

  /** Resolves when all earlier writes are answered. */
  function barrierOf(accounts: AccountWorld['accounts']): Promise<void> {
    return new Promise((resolve, reject) => accounts.of('alice').task(resolve, reject))
  }

  test('[V6] an edit of a profile is answered without waiting for other nodes', async () => {
    const { nodes } = await openCluster(postgres, 2, pollingClock())
    const [first, second] = nodes
    await aliceAndBob(first)
    await until(async () => second.position === first.position)
    const release = holdReports(second)
    const { device } = accountsOver(first, new TestClock())
    const phone = device('carol')
    phone.edit([{ root: profileRoot, key: profileKey(0, 'writer-writer', 'name'), value: 'Carol' }])
    await until(async () => phone.commits === 1 || phone.refused.length > 0)
    expect([phone.commits, second.position]).toEqual([1, 2])
    release()
  })

  test('[V4] a revocation and a restriction by the backend are answered only when each other node has applied them', async () => {
    const { nodes, client } = await openCluster(postgres, 2, pollingClock())
    const [first, second] = nodes
    await aliceAndBob(first)
    await until(async () => second.position === first.position)
    const release = holdReports(second)
    const server = await startTestServer({ store: first })
    const answers = [
      server.admin('POST', '/v1/users/alice/sessions/revoke'),
      server.admin('PUT', '/v1/users/alice', { restricted: true }),
      server.admin('PUT', '/v1/pairs/alice/carol'),
      server.admin('DELETE', '/v1/users/bob'),
    ]
    const areSettled = answers.map(watched)
    await until(async () => first.position >= 6)
    await renewedTwice(client)
    expect(areSettled.map(isSettled => isSettled())).toEqual([false, false, false, false])
    release()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([204, 200, 204, 204])
    await server.close()
  })

  test('[V4] a node that ended without giving its lease back holds a block up until its lease is over, and then counts no more', async () => {
    const { nodes, client, join } = await openCluster(postgres, 2, pollingClock())
    const [first, second] = nodes
    await aliceAndBob(first)
    await second.close()
    const dead = await join(new TestClock(), new TestClock())
    const release = holdReports(dead)
    const { position } = await first.commit(aliceBlocksBob)
    await first.whenEverywhere(position)
    expect(dead.position).toBeLessThan(position)
    expect((await client.query('select from node')).rowCount).toBe(1)
    release()
  })

  test('[V4] a change of a node whose lease is over is refused, and taken when the node has joined again', async () => {
    const { client, join } = await openCluster(postgres, 1, pollingClock())
    const [clock, leaseClock] = [new TestClock(), new TestClock()]
    const node = await join(clock, leaseClock)
    await client.query("update node set lease_until = clock_timestamp() - interval '1 s'")
    const refused = node.commit(userChange('alice')).catch((error: Error) => error.message)
    const isSettled = watched(refused)
    await until(async () => {
      clock.move(10_000)
      return isSettled()
    })
    expect(await refused).toMatch('lost its lease')
    expect((await client.query("select from users where id = 'alice'")).rowCount).toBe(0)
    leaseClock.move(1_000)
    await node.lease.held()
    expect((await node.commit(userChange('alice'))).position).toBe(1)
  })

  test('[V4] a node whose lease was over hands nothing over before it has reported what others were answered meanwhile', async () => {
    const { first, late, leaseClock, client } = await lateNode()
    const { position } = await first.commit(aliceBlocksBob)
    await client.query("update node set lease_until = clock_timestamp() - interval '1 s'")
    leaseClock.move(500)
    const joined = "select from node where applied = 2 and lease_until > clock_timestamp() + interval '1 s'"
    await until(async () => (await client.query(joined)).rowCount === 1 && !late.lease.isCurrent())
    expect(late.position).toBe(2)
    await late.release()
    expect(late.position).toBe(position)
  })

  test('[V4] the same holds for a renewal that began in time and was confirmed after the lease was over', async () => {
    const { first, late, leaseClock, client } = await lateNode()
    await client.query('begin; select from node for update')
    leaseClock.move(500)
    await until(async () => {
      await client.query('select pg_stat_clear_snapshot()')
      return (await client.query("select from pg_stat_activity where wait_event_type = 'Lock'")).rowCount !== 0
    })
    leaseClock.move(1_600)
    expect(late.lease.isCurrent()).toBe(false)
    const { position } = await first.commit(aliceBlocksBob)
    await client.query('commit')
    const renewed = 'select from node where lease_until > clock_timestamp()'
    await until(async () => (await client.query(renewed)).rowCount === 2)
    // Its response arrives long before those of so many queries.
    for (let time = 0; time < 50; time++) await client.query('select')
    expect([late.lease.isCurrent(), late.position]).toEqual([false, 2])
    await late.release()
    expect(late.position).toBe(position)
  })

  test('[V4] after the database was opened anew, as by a promotion, no node counts as gone for the time of a lease', async () => {
    const { nodes, client } = await openCluster(postgres, 2)
    const [first, second] = nodes
    await aliceAndBob(first)
    await second.close()
    await client.query('update run set at = clock_timestamp()')
    const { position } = await first.commit(aliceBlocksBob)
    await first.whenEverywhere(position)
    const since = await client.query("select from run where at < clock_timestamp() - interval '2 s'")
    expect(since.rowCount).toBe(1)
  })

  test('[D2][V4] a change whose wait for a standby was cancelled is not answered, and nothing is handed over, before a standby has confirmed a commit', async () => {
    const { nodes, client } = await openCluster(postgres, 1, pollingClock())
    const [first] = nodes
    await first.commit(userChange('alice'))
    await client.query("alter system set synchronous_standby_names = 'missing'")
    await client.query('select pg_reload_conf()')
    const waiting = "wait_event = 'SyncRep' and query like '%commit_batch%'"
    const backends = async (): Promise<number | null> =>
      (await client.query(`select from pg_stat_activity where ${waiting}`)).rowCount
    const answer = first.commit(profileChange('alice', { 0: 'once' }))
    const isAnswered = watched(answer)
    await until(async () => (await backends()) === 1)
    await client.query(`select pg_cancel_backend(pid) from pg_stat_activity where ${waiting}`)
    // The same batch was sent again, or the response arrived.
    await until(async () => first.position === 2 && (isAnswered() || (await backends()) === 1))
    expect([isAnswered(), first.lease.isCurrent()]).toEqual([false, false])
    await client.query('alter system reset synchronous_standby_names')
    await client.query('select pg_reload_conf()')
    expect(((await answer) as Commit).position).toBe(2)
    await first.lease.held()
    expect((await client.query('select from log')).rowCount).toBe(2)
  })

  test('a node that closes gives its lease back', async () => {
    const { nodes, client } = await openCluster(postgres, 2)
    const [first, second] = nodes
    expect((await client.query('select from node')).rowCount).toBe(2)
    await second.close()
    expect((await client.query('select from node')).rowCount).toBe(1)
    expect([first.lease.isCurrent(), second.lease.isCurrent()]).toEqual([true, false])
  })

  test('a node is not ready while it is behind the log, nor without its lease, and its metrics say so', async () => {
    const { nodes, client, join } = await openCluster(postgres, 1, pollingClock())
    const [first] = nodes
    const leaseClock = new TestClock()
    const node = await join(pollingClock(), leaseClock)
    const server = await startTestServer({ store: node })
    const ready = async (): Promise<unknown> => (await server.admin('GET', '/readyz')).body
    const metrics = async (): Promise<string> => String((await server.admin('GET', '/metrics')).body)
    await until(async () => node.position === first.position)
    expect(await ready()).toEqual({ status: 'ready' })
    const release = holdReports(node)
    await first.commit(userChange('alice'))
    const row = 'select lease_until as until from node order by id desc limit 1'
    const leasedUntil = async (): Promise<number> => (await client.query(row)).rows[0].until.getTime()
    for (let time = 0; time < 5; time++) {
      const before = await leasedUntil()
      leaseClock.move(500)
      await until(async () => (await leasedUntil()) > before)
    }
    await until(async () => node.lease.isCurrent())
    expect(await ready()).toEqual({ status: 'behind' })
    expect(await metrics()).toMatch(/^kith_log_lag_seconds 2\.\d+$/m)
    expect(await metrics()).toMatch(/^kith_lease 1$/m)
    release()
    await until(async () => node.position === 1 && node.node?.isBehind === false)
    expect(await ready()).toEqual({ status: 'ready' })
    leaseClock.move(2_500)
    expect(await ready()).toEqual({ status: 'no-lease' })
    expect(await metrics()).toMatch(/^kith_lease 0$/m)
    expect(await metrics()).toMatch(/^kith_conflicts_total 0$/m)
    await server.close()
  })
})

/** Another process acts as a node until its change is answered. This process is blocked until then. */
function commitElsewhere(url: string, change: unknown): void {
  const open = new URL('../../packages/server/dist/store/postgres/open.js', import.meta.url).href
  const shared = new URL('../../packages/shared/dist/index.js', import.meta.url).href
  const program = `
    import { openPostgresStore } from ${JSON.stringify(open)}
    import { defaultLimits } from ${JSON.stringify(shared)}
    const clock = { now: Date.now, after: (ms, task) => { const t = setTimeout(task, ms); return () => clearTimeout(t) },
      every: (ms, task) => { const t = setInterval(task, ms); return () => clearInterval(t) } }
    const store = await openPostgresStore(${JSON.stringify(url)}, { limits: defaultLimits, clock })
    const change = JSON.parse(${JSON.stringify(JSON.stringify(change, bytesToJson))}, (_, value) => value?.bytes ? new Uint8Array(value.bytes) : value?.pairs ? new Map(value.pairs) : value)
    const { position } = await store.commit(change)
    await store.whenEverywhere(position)
    await store.close()`
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] })
}

function bytesToJson(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  return value instanceof Map ? { pairs: [...value] } : value
}
