import type { KithOptions } from '@kith/client'
import type { Store } from '@kith/server'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'
import { nextEvent } from '../support/next-event.ts'
import { Unwritable } from '../support/server-internals.ts'

/** A server whose disk a test fills. */
async function serverWithADisk() {
  const disk = { isFull: false }
  const refusal = new Unwritable(new Error('No space left on device'))
  const over = (store: Store): Store =>
    Object.create(store, {
      refusal: { get: () => (disk.isFull ? refusal : undefined) },
      commit: {
        value: (...of: Parameters<Store['commit']>) => (disk.isFull ? Promise.reject(refusal) : store.commit(...of)),
      },
    }) as Store
  return { disk, ...(await backend({}, over)) }
}

test('[D5] a server that cannot store changes is reported with the reason and the time of the retry, and the change is kept', async () => {
  const { disk, device } = await serverWithADisk()
  const [alice, bob] = [await device('alice'), await device('bob')]
  await bob.ownProfile.set('name', 'Bob')
  const seen = alice.getProfile('bob')
  seen.subscribe(true)
  await seen.save()
  await Promise.all([alice.whenSynced(), bob.whenSynced()])

  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  onTestFinished(() => void vi.restoreAllMocks())
  disk.isFull = true
  await alice.ownProfile.set('name', 'Ada')
  // At increasing intervals: 10 s, and a random part that doubles.
  for (const retryAfterMs of [10_250, 10_500, 11_000]) {
    const failed = nextEvent(alice, 'error')
    alice.connect()
    expect((await failed)[0]).toMatchObject({
      ...{ code: 'unavailable', message: expect.stringContaining('(the disk is full)'), retryAfterMs },
    })
    expect([alice.status, alice.unsent]).toEqual(['offline', 1])
  }
  disk.isFull = false
  alice.connect()
  await alice.whenSynced()
  expect([alice.status, alice.unsent]).toEqual(['synced', 0])
})

test('a server without room for another connection is reported and retried', async () => {
  const { device } = await backend()
  let attempts = 0
  class OftenRefused extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      attempts++
      if (attempts > 1) return
      this.on('open', () => this.emit('close', 4503, Buffer.from('unavailable retry-after-ms=20')))
    }
  }
  const alice = await device('alice', {
    WebSocket: OftenRefused as unknown as NonNullable<KithOptions['WebSocket']>,
    connect: false,
  })
  const failed = nextEvent(alice, 'error')
  alice.connect()
  const [error] = await failed
  expect(error).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('no room for another connection'),
  })
  expect(error.retryAfterMs).toBeGreaterThanOrEqual(20)
  await alice.whenSynced()
  expect(attempts).toBe(2)
})
