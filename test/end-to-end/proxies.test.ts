import { execFile } from 'node:child_process'
import { request } from 'node:https'
import { promisify } from 'node:util'
import type { Kith, KithOptions } from '@kith/client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, serverProgram, startServerProcess } from '../../bench/src/server-process.ts'
import { findProgram } from '../support/find-program.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { next, openDevice, settle } from '../support/process-devices.ts'
import { type ReverseProxy, startHaproxy, startNginx, TrustingSocket } from '../support/proxies.ts'

// Starting processes takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const hasNginx = (await findProgram('nginx')) !== undefined
const hasHaproxy = (await findProgram('haproxy')) !== undefined && (await findPostgres()) !== undefined
if (!hasNginx) process.stdout.write('no nginx in the PATH: its test is skipped\n')
if (!hasHaproxy) process.stdout.write('no haproxy in the PATH, or no PostgreSQL: its tests are skipped\n')

/** A device whose connection goes through the proxy. */
function openThrough(proxy: ReverseProxy, server: ServerProcess, user: string): Promise<Kith> {
  const WebSocket = TrustingSocket as unknown as NonNullable<KithOptions['WebSocket']>
  return openDevice(server, user, { url: proxy.url.replace('http', 'ws'), WebSocket })
}

/** Resolves to the status with which the proxy answers a path. */
function statusOf(proxy: ReverseProxy, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(proxy.url + path, { rejectUnauthorized: false, agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
}

const unpublished = ['/metrics', '/v1/users', '/v1/webhooks/dead', '/readyz', '/v1/rosters', '/']

// In CI, a missing proxy is a failure.
test.skipIf(!hasNginx && !process.env['CI'])(
  '[V1] nginx with the configuration of deploy/ carries devices, and publishes nothing else',
  async () => {
    const server = await startServerProcess({ env: { KITH_TRUSTED_PROXIES: '127.0.0.1' } })
    onTestFinished(() => server.stop())
    const nginx = await startNginx(server.url)
    onTestFinished(() => nginx.stop())
    const ada = await openThrough(nginx, server, 'ada')
    const bob = await openThrough(nginx, server, '+44 Bob/ü')
    await ada.ownProfile.set('name', 'Ada')
    const profile = bob.getProfile('ada')
    await settle(ada, bob)
    expect(profile.fields).toEqual({ name: 'Ada' })
    for (const path of unpublished) expect([path, await statusOf(nginx, path)]).toEqual([path, 404])
  },
)

describe.skipIf(!hasHaproxy && !process.env['CI'])('HAProxy with the configuration of deploy/, and two nodes', () => {
  let postgres: PostgresServer
  let nodes: ServerProcess[]
  let haproxy: ReverseProxy

  beforeAll(async () => {
    postgres = await startPostgres()
    const database = await postgres.newUrl()
    const env = { ...process.env, KITH_DATABASE_URL: database }
    await promisify(execFile)(process.execPath, [serverProgram, 'migrate'], { env })
    const trusting = { database, env: { KITH_TRUSTED_PROXIES: '127.0.0.1' } }
    nodes = await Promise.all([startServerProcess(trusting), startServerProcess(trusting)])
    haproxy = await startHaproxy(nodes.map(({ url }) => url))
  })

  afterAll(async () => {
    await haproxy?.stop()
    for (const node of nodes ?? []) await node.kill()
    await postgres?.stop()
  })

  test('[V1][F1] devices of users that are served by different nodes exchange profiles through it', async () => {
    const [first] = nodes as [ServerProcess]
    const users = ['ada', 'bob', 'carol', 'dora', 'erin', 'fay']
    const devices = await Promise.all(users.map(user => openThrough(haproxy, first, user)))
    const [ada, ...others] = devices as [Kith, ...Kith[]]
    await ada.ownProfile.set('name', 'Ada')
    const profiles = others.map(device => device.getProfile('ada'))
    await settle(...devices)
    for (const profile of profiles) expect(profile.fields).toEqual({ name: 'Ada' })
    const counts = await Promise.all(nodes.map(node => node.metric('kith_sessions')))
    expect(Math.min(...counts)).toBeGreaterThan(0)
    expect(counts.reduce((sum, count) => sum + count)).toBe(users.length)
    for (const path of unpublished) expect([path, await statusOf(haproxy, path)]).toEqual([path, 404])
  })

  test('[F1][D2] a device goes on through it on the other node when its node is killed', async () => {
    const [first, second] = nodes as [ServerProcess, ServerProcess]
    const device = await openThrough(haproxy, first, 'ada')
    await settle(device)
    const isOnFirst = (await first.metric('kith_sessions')) > 0
    const [its, other] = isOnFirst ? [first, second] : [second, first]
    const viewer = await openDevice(other, 'bob')
    viewer.getProfile('ada')
    await settle(viewer)
    await its.kill()
    const seen = next(viewer, 'profile')
    await device.ownProfile.set('name', 'Countess')
    await settle(device)
    expect(await seen).toBe('ada')
    expect(await other.metric('kith_sessions')).toBe(2)
  })
})
