import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { closeCodes } from '@kith/shared'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { emissions } from '../support/emissions.ts'
import { findNats, type NatsServer, startNats } from '../support/nats.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { openDevice, settle } from '../support/process-devices.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const hasPostgres = (await findPostgres()) !== undefined
const hasNats = (await findNats()) !== undefined
const carriers = [
  { name: 'over PostgreSQL', isInstalled: hasPostgres, usesNats: false },
  { name: 'over NATS', isInstalled: hasPostgres && hasNats, usesNats: true },
]

// In CI, a missing server is a failure.
describe.each(carriers)('users on two server processes that talk $name', ({ isInstalled, usesNats }) => {
  describe.skipIf(!isInstalled && !process.env['CI'])('', () => {
    let postgres: PostgresServer
    let nats: NatsServer | undefined

    beforeAll(async () => {
      postgres = await startPostgres()
      if (usesNats) nats = await startNats()
    })

    afterAll(async () => {
      await postgres?.stop()
      await nats?.stop()
    })

    async function nodes(env: Record<string, string> = {}) {
      const database = await postgres.newUrl()
      const migration = { ...process.env, KITH_DATABASE_URL: database }
      await promisify(execFile)(process.execPath, [serverProgram, 'migrate'], { env: migration })
      const all = { ...env, ...(nats && { KITH_NATS_URL: nats.url }) }
      const started = [
        await startServerProcess({ database, env: all }),
        await startServerProcess({ database, env: all }),
      ]
      for (const one of started) onTestFinished(() => one.stop())
      const [first, second] = started as [ServerProcess, ServerProcess]
      return { first, second }
    }

    /** Alice on the first node, who sees Bob's profile from the second node. */
    async function acquainted() {
      const { first, second } = await nodes()
      const alice = await openDevice(first, 'alice')
      const bob = await openDevice(second, 'bob')
      await bob.ownProfile.set('name', 'Bob')
      await settle(bob)
      await alice.getProfile('bob').loaded
      await settle(alice)
      return { first, second, alice, bob }
    }

    test('a message reaches a device on another node, its receipt comes back, and without a device there it is undelivered', async () => {
      const { alice, bob } = await acquainted()
      const got: string[] = []
      bob.on('message', ({ text }) => void got.push(text))
      // More than a PostgreSQL notice can carry.
      const text = `hello ${'x'.repeat(12_000)}`
      await vi.waitFor(async () => expect(await alice.send('bob', text)).toBe('delivered'), 30_000)
      expect(got.at(-1)).toBe(text)
      bob.disconnect()
      await vi.waitFor(async () => expect(await alice.send('bob', 'are you there?')).toBe('undelivered'), 60_000)
    })

    test('[V1][V10] a message of a blocked sender does not reach the other node, and its outcome is that for a user who is not there', async () => {
      const { alice, bob } = await acquainted()
      const seen = emissions(alice.livePresence('bob'))
      await expect.poll(() => seen.at(-1), { timeout: 30_000 }).toEqual({ isOnline: true })
      const blocked = bob.getProfile('alice')
      blocked.block(true)
      await blocked.save()
      await settle(bob)
      await expect.poll(() => seen.at(-1), { timeout: 30_000 }).toBeUndefined()
      expect(await alice.send('bob', 'let me in')).toBe('unconfirmed')
      expect(await alice.send('nobody-of-this-name', 'let me in')).toBe('unconfirmed')
      expect(bob.received.contains('let me in')).toBe(false)
    })

    test('a device sees users of another node come, and go, with the time', async () => {
      const { alice, bob } = await acquainted()
      const seen = emissions(alice.livePresence('bob'))
      await expect.poll(() => seen.at(-1), { timeout: 30_000 }).toEqual({ isOnline: true })
      bob.disconnect()
      await expect.poll(() => seen.at(-1), { timeout: 60_000 }).toMatchObject({ isOnline: false })
      expect(seen.at(-1)).toHaveProperty('lastSeenAt', expect.any(Date))
    })

    test('users of a node that is killed go offline, with the time', async () => {
      const { first, second, alice } = await acquainted()
      const third = await openDevice(second, 'carol')
      await third.ownProfile.set('name', 'Carol')
      await settle(third)
      await alice.getProfile('carol').loaded
      const [bob, carol] = [emissions(alice.livePresence('bob')), emissions(alice.livePresence('carol'))]
      for (const seen of [bob, carol]) {
        await expect.poll(() => seen.at(-1), { timeout: 30_000 }).toEqual({ isOnline: true })
      }
      await second.kill()
      for (const seen of [bob, carol]) {
        await expect.poll(() => seen.at(-1), { timeout: 60_000 }).toMatchObject({ isOnline: false })
        expect(seen.at(-1)).toHaveProperty('lastSeenAt', expect.any(Date))
      }
      expect((await first.admin('GET', '/readyz')).status).toBe(200)
    })

    test('[S3] connections of one user are counted over all nodes', async () => {
      const { first, second } = await nodes({ KITH_LIMIT_CONNECTIONS_PER_USER: '2' })
      for (const node of [first, second]) await settle(await openDevice(node, 'alice'))
      const token = await second.token('alice')
      const url = `${second.url.replace(/^http/, 'ws')}/v1/roster/alice`
      const turnedAway = async (): Promise<number | undefined> => {
        const socket = new WebSocket(url, ['kith.v1', `bearer.${token}`])
        const code = await Promise.race([
          once(socket, 'close').then(([code]) => code as number),
          once(socket, 'message').then(() => undefined),
        ])
        socket.terminate()
        return code
      }
      await vi.waitFor(async () => expect(await turnedAway()).toBe(closeCodes.overLimit), 30_000)
    })
  })
})
