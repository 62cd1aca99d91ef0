import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { startServerProcess } from '../../bench/src/server-process.ts'
import { happens } from '../client/happens.ts'
import { openDevice } from './devices.ts'

/** A small disk of its own in memory, until it is unmounted; `undefined` where this process may not mount one. */
function smallDisk(megabytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kith-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
}

const folder = smallDisk(24)

/** Writes until the disk takes no byte more. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (const size of [65_536, 4096, 1]) {
      for (const chunk = Buffer.alloc(size, 1); ; ) await handle.write(chunk)
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
  } finally {
    await handle.close()
  }
}

test.runIf(folder !== undefined)(
  '[D2] [F1] a server on a full disk serves what it has, says so to monitors and devices, and goes on when there is room',
  async () => {
    const data = join(folder as string, 'data')
    const filler = join(folder as string, 'filler')
    const server = await startServerProcess({ folder: data, env: { KITH_LOG_LEVEL: 'silent' } })
    onTestFinished(async () => {
      await server.stop()
      execFileSync('umount', [folder as string])
      rmSync(folder as string, { recursive: true })
    })
    const ready = async (): Promise<[number, unknown]> => {
      const response = await fetch(`${server.url}/readyz`)
      return [response.status, await response.json()]
    }
    const indexedDB = new IDBFactory()
    const alice = await openDevice(server, 'alice')
    const bob = await openDevice(server, 'bob', { indexedDB })
    await alice.ownProfile.set('name', 'Ada')
    const seen = bob.getProfile('alice')
    seen.subscribe(true)
    await seen.save()
    await Promise.all([alice.whenSynced(), bob.whenSynced()])
    await bob.close()
    await alice.ownProfile.set('name', 'Augusta')
    await alice.whenSynced()

    await fill(filler)
    expect(statfsSync(folder as string).bavail).toBe(0)
    const failed = happens(alice, 'error')
    await alice.ownProfile.set('story', 'x'.repeat(60_000))
    expect((await failed)[0]).toMatchObject({
      ...{
        code: 'unavailable',
        message: expect.stringContaining('(the disk is full)'),
        retryAfterMs: expect.any(Number),
      },
    })
    expect(await ready()).toEqual([503, { status: 'read-only', reason: 'the disk is full' }])
    expect((await server.admin('GET', '/v1/users/alice')).status).toBe(200)
    const back = await openDevice(server, 'bob', { indexedDB })
    await back.whenSynced()
    expect(back.getProfile('alice').get('name')).toBe('Augusta')
    // A device that is new to the server's user gets its roster, too.
    const another = await openDevice(server, 'bob')
    await another.whenSynced()
    expect(another.getProfile('alice').isSubscribed).toBe(true)

    await rm(filler)
    await expect.poll(ready, { timeout: 20_000 }).toEqual([200, { status: 'ready' }])
    alice.connect()
    await alice.whenSynced()
    await back.whenSynced()
    expect(String(back.getProfile('alice').get('story'))).toHaveLength(60_000)
  },
)
