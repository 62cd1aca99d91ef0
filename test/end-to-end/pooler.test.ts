import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { findPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { findPostgres } from '../support/postgres.ts'
import { openDevice, settle } from '../support/process-devices.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined && (await findPgBouncer()) !== undefined

// In CI, a missing pooler is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])(
  'server processes behind PgBouncer, which pools transactions',
  () => {
    let postgres: LocalPostgres
    let pooler: PgBouncer

    beforeAll(async () => {
      postgres = await startLocalPostgres()
      pooler = await startPgBouncer(postgres.url)
      const env = { ...process.env, KITH_DATABASE_URL: pooler.url }
      await promisify(execFile)(process.execPath, [serverProgram, 'migrate'], { env })
    })

    afterAll(async () => {
      await pooler?.stop()
      await postgres?.stop()
    })

    async function node(): Promise<ServerProcess> {
      const env = { KITH_DATABASE_PREPARE: 'false', KITH_DATABASE_LISTEN_URL: postgres.url }
      const started = await startServerProcess({ database: pooler.url, env })
      onTestFinished(() => started.stop())
      return started
    }

    test('[V1][V4][F1] edits, blocks and messages go from node to node', async () => {
      const [first, second] = [await node(), await node()]
      const alice = await openDevice(first, 'alice')
      const bob = await openDevice(second, 'bob')
      await alice.ownProfile.set('name', 'Ada')
      await settle(alice)
      const profile = bob.getProfile('alice')
      await settle(bob)
      expect(profile.fields).toEqual({ name: 'Ada' })
      const got: string[] = []
      alice.on('message', ({ text }) => void got.push(text))
      await vi.waitFor(async () => expect(await bob.send('alice', 'hello')).toBe('delivered'), 30_000)
      expect(got).toEqual(['hello'])
      const blocked = alice.getProfile('bob')
      blocked.block(true)
      await blocked.save()
      await settle(alice)
      await settle(bob)
      expect(profile.fields).toEqual({})
    })

    test('[D2][F1] nodes go on when the database was opened again behind the pooler', async () => {
      const [first, second] = [await node(), await node()]
      const carol = await openDevice(first, 'carol')
      await carol.ownProfile.set('name', 'Carol')
      await settle(carol)
      await postgres.kill()
      await postgres.start()
      await carol.ownProfile.set('name', 'Caroline')
      await settle(carol)
      const dave = await openDevice(second, 'dave')
      const profile = dave.getProfile('carol')
      await settle(dave)
      expect(profile.fields).toEqual({ name: 'Caroline' })
      const [runs] = await postgres.query('select count(*)::int as count from run')
      expect(runs?.['count']).toBeGreaterThan(1)
    })
  },
)
