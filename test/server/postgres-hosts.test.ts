import { type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'
import { type Clock, systemClock } from '@kith/server'
import { startTestServer } from '@kith/server/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { until } from '../support/cluster.ts'
import { findPostgres } from '../support/postgres.ts'
import { migrate, openPostgresStore, userChange } from '../support/server-internals.ts'
import { limitsWith } from '../support/stores.ts'

// Databases are created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('a database on several hosts', () => {
  let first: LocalPostgres
  let second: LocalPostgres
  /** This URL lists the first host first. */
  let url: string

  beforeAll(async () => {
    first = await startLocalPostgres()
    second = await first.addStandby('b')
    await first.confirmBy('b')
    url = first.url.replace(/@[^/]+/, `@127.0.0.1:${first.port},127.0.0.1:${second.port}`)
    await migrate(url)
  })

  afterAll(async () => {
    await second?.stop()
    await first?.stop()
  })

  test('[D1] a node that requires a standby is not ready while none confirms what is written, and says so', async () => {
    const warnings: string[] = []
    const warn = (warning: string): void => void warnings.push(warning)
    const clock: Clock = { ...systemClock, every: (ms, task) => systemClock.every(Math.min(ms, 50), task) }
    const store = await openPostgresStore(url, { limits: limitsWith(), clock, requiresStandby: true, warn })
    const server = await startTestServer({ store })
    const state = async (): Promise<[unknown, boolean]> => [
      ((await server.admin('GET', '/readyz')).body as { status: string }).status,
      /^kith_synchronous_standby 1$/m.test(String((await server.admin('GET', '/metrics')).body)),
    ]
    expect([await state(), warnings]).toEqual([['ready', true], []])
    await first.confirmBy()
    await vi.waitFor(async () => expect(await state()).toEqual(['no-standby', false]), 10_000)
    expect(warnings).toEqual([expect.stringContaining('a failover may lose what was answered')])
    await first.confirmBy('b')
    await vi.waitFor(async () => expect(await state()).toEqual(['ready', true]), 10_000)
    expect(warnings.at(-1)).toBe('a standby confirms again what the database writes')
    await server.close()
  })

  test('[D2][V4] nodes leave a primary that was cut off and still answers, also one that starts and asks it first', async () => {
    const options = { limits: limitsWith(), clock: systemClock }
    const running = await openPostgresStore(url, options)
    onTestFinished(() => running.close())
    await running.commit(userChange('alice'))
    // From now on no standby confirms the writes of the first host.
    await second.promote()
    // With another URL, this process does not know which host was the primary last.
    const starting = await openPostgresStore(`${url}?connect_timeout=5`, options)
    onTestFinished(() => starting.close())
    await starting.commit(userChange('bob'))
    await until(async () => running.lease.isCurrent())
    await running.commit(userChange('carol'))
    const found = await second.query('select id from users order by id')
    expect(found.map(({ id }) => id)).toEqual(['alice', 'bob', 'carol'])
    expect((await running.user('bob')).registeredAt).toBe(2)
    expect(await first.query("select from users where id in ('bob', 'carol')")).toEqual([])
  })
})
