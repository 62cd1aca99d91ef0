import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../bench/src/server-process.ts'
import { emissions } from '../support/emissions.ts'
import { openDevice, settle } from '../support/process-devices.ts'

vi.setConfig({ testTimeout: 60_000 })

test('a server process reports who is online, and the next process when they were last seen, if the first could store it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const start = async (port?: number): Promise<ServerProcess> => {
    const process = await startServerProcess({ folder, ...(port && { port }) })
    onTestFinished(() => process.stop())
    return process
  }
  let kith = await start()
  const port = Number(new URL(kith.url).port)
  const token = (user: string) => () => kith.token(user)
  const [alice, bob] = [
    await openDevice(kith, 'alice', { token: token('alice') }),
    await openDevice(kith, 'bob', { token: token('bob') }),
  ]
  await settle(alice)
  await bob.getProfile('alice').loaded
  await settle(bob)
  const seen = emissions(bob.livePresence('alice'))
  await expect.poll(() => seen.at(-1)).toEqual({ isOnline: true })
  await alice.setHidePresence(true)
  await expect.poll(() => seen.at(-1)).toBeUndefined()
  await alice.setHidePresence(false)
  await settle(alice)

  const before = Date.now()
  await kith.stop() // Alice is here.
  alice.disconnect()
  const after = Date.now()
  kith = await start(port)
  bob.connect()
  await expect.poll(() => seen.at(-1), { timeout: 30_000 }).toMatchObject({ isOnline: false })
  const told = seen.at(-1)
  const atMs = told?.isOnline === false ? (told.lastSeenAt?.getTime() ?? 0) : 0
  expect(atMs).toBeGreaterThan(before - 60_000)
  expect(atMs).toBeLessThanOrEqual(after)
  expect(atMs % 60_000).toBe(0)

  alice.connect()
  await settle(alice)
  seen.length = 0
  await kith.kill() // Nobody wrote down when.
  alice.disconnect()
  kith = await start(port)
  bob.connect()
  await expect.poll(() => seen.at(-1), { timeout: 30_000 }).toEqual(told)
})
