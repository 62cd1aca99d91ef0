import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { openDatabaseProxy } from '../support/database-proxy.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { next, openDevice, settle } from '../support/process-devices.ts'
import { migrate as migrateTo, schemaSteps } from '../support/server-internals.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('server processes on one PostgreSQL database', () => {
  let postgres: PostgresServer

  beforeAll(async () => {
    postgres = await startPostgres()
  })

  afterAll(() => postgres?.stop())

  async function migrate(database: string): Promise<string> {
    const env = { ...process.env, KITH_DATABASE_URL: database }
    return (await promisify(execFile)(process.execPath, [serverProgram, 'migrate'], { env })).stdout
  }

  async function node(database: string): Promise<ServerProcess> {
    const started = await startServerProcess({ database })
    onTestFinished(() => started.stop())
    return started
  }

  test('a server starts on a database only after `migrate`, which can be run again', async () => {
    const database = await postgres.newUrl()
    const args = [serverProgram, 'serve', '--port', '0']
    const secrets = { KITH_TOKEN_SECRET: 'x'.repeat(32), KITH_ADMIN_KEY: 'key' }
    const env = { ...process.env, ...secrets, KITH_DATABASE_URL: database }
    const failed = promisify(execFile)(process.execPath, args, { env })
    await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/run kith-server migrate/) })
    expect(await migrate(database)).toMatch(/from version 0 to \d+/)
    expect(await migrate(database)).toMatch(/^the schema has version \d+/)
    const server = await node(database)
    expect((await server.admin('PUT', '/v1/users/alice', {})).status).toBe(201)
  })

  test('[D4] a node that was paused while the schema was migrated beyond it logs the reason when it continues, and exits with 1', async () => {
    const database = await postgres.newUrl()
    await migrate(database)
    const secrets = { KITH_TOKEN_SECRET: 'x'.repeat(32), KITH_ADMIN_KEY: 'key' }
    const child = spawn(process.execPath, [serverProgram, 'serve', '--port', '0'], {
      env: { ...process.env, ...secrets, KITH_DATABASE_URL: database },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let log = ''
    child.stderr.on('data', bytes => (log += bytes))
    await once(child.stdout, 'data')
    child.kill('SIGSTOP')
    const later = { sql: 'create table later (one int)', minReader: schemaSteps.length + 1 }
    // Refused until the lease has expired.
    await expect
      .poll(() => migrateTo(database, [...schemaSteps, later]).catch(() => undefined), { timeout: 20_000 })
      .toBeTruthy()
    const exited = once(child, 'exit')
    child.kill('SIGCONT')
    expect((await exited)[0]).toBe(1)
    expect(log).toMatch(/"level":60.*this version of Kith knows \d+: run the version of Kith that migrated it/)
  })

  test('[V4][F1] a device on one node gets what a device on another node changes, and loses what the other takes away', async () => {
    const database = await postgres.newUrl()
    await migrate(database)
    const [first, second] = [await node(database), await node(database)]
    const alice = await openDevice(first, 'alice')
    const bob = await openDevice(second, 'bob')
    await alice.ownProfile.set('name', 'Ada')
    await settle(alice)
    const profile = bob.getProfile('alice')
    await settle(bob)
    expect(profile.fields).toEqual({ name: 'Ada' })
    const changed = next(bob, 'profile')
    await alice.ownProfile.set('name', 'Countess')
    expect(await changed).toBe('alice')
    expect(profile.fields).toEqual({ name: 'Countess' })
    const withdrawn = next(bob, 'withdrawn')
    const blocked = alice.getProfile('bob')
    blocked.block(true)
    await blocked.save()
    expect(await withdrawn).toBe('alice')
    expect(profile.fields).toEqual({})
  })

  test('[D1][D4] devices of one user that write on two nodes at the same time lose nothing, and end with the same', async () => {
    const database = await postgres.newUrl()
    await migrate(database)
    const [first, second] = [await node(database), await node(database)]
    const [phone, laptop] = [await openDevice(first, 'alice'), await openDevice(second, 'alice')]
    for (let round = 0; round < 20; round++) {
      const edits = [phone, laptop].map((device, index) => device.ownProfile.set(`field ${index}`, round))
      await Promise.all(edits)
    }
    await settle(phone, laptop)
    const fields = { 'field 0': 19, 'field 1': 19 }
    await vi.waitFor(() => {
      for (const device of [phone, laptop]) expect(device.ownProfile.fields.get(0)).toEqual(fields)
    }, 20_000)
    const viewer = await openDevice(first, 'bob')
    const profile = viewer.getProfile('alice')
    await settle(viewer)
    expect(profile.fields).toEqual(fields)
  })

  test('a revocation on one node ends the sessions on another, and the tokens count nowhere', async () => {
    const database = await postgres.newUrl()
    await migrate(database)
    const [first, second] = [await node(database), await node(database)]
    const token = await second.token('alice')
    const alice = await openDevice(second, 'alice', { token: async () => token })
    await settle(alice)
    const failed = new Promise<string>(resolve => alice.on('error', ({ code }) => resolve(code)))
    expect((await first.admin('POST', '/v1/users/alice/sessions/revoke')).status).toBe(204)
    expect(await failed).toBe('unauthorised')
  })

  test('[V4] a node that is stopped between its check and its hand-over, while a block is answered on another node, hands nothing over when it goes on', async () => {
    const database = await postgres.newUrl()
    await migrate(database)
    const proxy = await openDatabaseProxy(database)
    const [first, second] = [await node(database), await node(proxy.url)]
    const alice = await openDevice(first, 'alice')
    const bob = await openDevice(second, 'bob')
    await alice.ownProfile.set('name', 'Ada')
    await settle(alice, bob)
    const held = proxy.holdNextRead()
    const profile = bob.getProfile('alice')
    const release = await held
    process.kill(second.pid, 'SIGSTOP')
    onTestFinished(() => void process.kill(second.pid, 'SIGCONT'))
    // The response waits in the socket of the node that is stopped.
    release()
    const blocked = alice.getProfile('bob')
    blocked.block(true)
    await blocked.save()
    await settle(alice)
    process.kill(second.pid, 'SIGCONT')
    await settle(bob)
    expect([profile.fields, bob.received.contains('Ada')]).toEqual([{}, false])
  })

  test('[V4] a block is answered soon after a node was killed', async () => {
    const database = await postgres.newUrl()
    await migrate(database)
    const [first, second] = [await node(database), await node(database)]
    const alice = await openDevice(first, 'alice')
    await settle(alice)
    await second.kill()
    const blocked = alice.getProfile('bob')
    blocked.block(true)
    await blocked.save()
    await settle(alice)
    expect((await first.admin('GET', '/readyz')).status).toBe(200)
  })
})
