import { statfsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { IDBFactory } from 'fake-indexeddb'
import { expect, onTestFinished, test } from 'vitest'
import { startServerProcess } from '../../bench/src/server-process.ts'
import { nextEvent } from '../support/next-event.ts'
import { openDevice } from '../support/process-devices.ts'
import { type SmallDisk, smallDisk } from '../support/small-disk.ts'

const disk = smallDisk(24 * 1024)

test.runIf(disk)(
  '[D2] [F1] a server on a full disk serves reads, reports it to monitors and devices, and continues when there is room',
  async () => {
    const { folder, fill } = disk as SmallDisk
    const server = await startServerProcess({ folder: join(folder, 'data'), env: { KITH_LOG_LEVEL: 'silent' } })
    onTestFinished(() => server.stop())
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

    const filler = await fill()
    expect(statfsSync(folder).bavail).toBe(0)
    const failed = nextEvent(alice, 'error')
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
    // A new device of the same user also receives the roster.
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
