import { expect, test } from 'vitest'
import { coreOf, SyncWaiters } from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

interface Barrier {
  reach(): void
  fail(reason: Error): void
}

interface Sync {
  isDone: boolean
}

/** A device with an unsent change, and the barriers that its sync waits raise. */
async function syncing(): Promise<{
  /** Begins a wait. */
  wait(): Promise<Sync>
  /** `reached`: every barrier that is raised is reached immediately. */
  progress(what?: 'reached'): Promise<void>
  change(): Promise<void>
  acknowledge(): Promise<void>
  barriers: Barrier[]
}> {
  const alice = await installation('alice').open()
  const { store } = coreOf(alice)
  const waiters = new SyncWaiters(store)
  const barriers: Barrier[] = []
  const progress = (what?: 'reached'): Promise<void> =>
    waiters.progress(
      () =>
        new Promise((resolve, reject) => {
          barriers.push({ reach: () => resolve(true), fail: reject })
          if (what === 'reached') resolve(true)
        }),
    )
  let count = 0
  const change = (): Promise<void> => alice.ownProfile.set('count', count++)
  await change()
  return {
    ...{ barriers, change, progress },
    wait: async () => {
      const sync = { isDone: false }
      await new Promise<void>(begun => {
        void waiters.wait(undefined, begun).then(() => {
          sync.isDone = true
        })
      })
      return sync
    },
    acknowledge: () => store.work(async ({ db }) => void (await db.outbox.clear())),
  }
}

test('[D2][S3] a sync wait sends its barrier once all changes made before it are acknowledged, and no barrier before', async () => {
  const { wait, progress, change, acknowledge, barriers } = await syncing()
  const first = await wait()
  await change()
  await progress('reached')
  expect([barriers.length, first.isDone]).toEqual([0, false])
  await acknowledge()
  const progressed = progress()
  await expect.poll(() => barriers).toHaveLength(1)
  // While it is in progress, no other barrier is sent for the same wait.
  await progress('reached')
  expect([barriers.length, first.isDone]).toEqual([1, false])
  barriers[0]?.reach()
  await progressed
  await expect.poll(() => first.isDone).toBe(true)
  await progress()
  expect(barriers).toHaveLength(1)
})

test('[D2] a sync wait that begins while a barrier is under way has a barrier of its own', async () => {
  const { wait, progress, acknowledge, barriers } = await syncing()
  await acknowledge()
  const first = await wait()
  const progressed = progress()
  await expect.poll(() => barriers).toHaveLength(1)
  const second = await wait()
  barriers[0]?.reach()
  await progressed
  await expect.poll(() => first.isDone).toBe(true)
  expect(second.isDone).toBe(false)
  const again = progress()
  await expect.poll(() => barriers).toHaveLength(2)
  barriers[1]?.reach()
  await again
  await expect.poll(() => second.isDone).toBe(true)
})

test('[D2] a sync wait outlives a session that ends before its barrier is reached, twice', async () => {
  const { wait, progress, acknowledge, barriers } = await syncing()
  await acknowledge()
  const first = await wait()
  for (let session = 0; session < 2; session++) {
    const progressed = progress()
    await expect.poll(() => barriers).toHaveLength(session + 1)
    barriers[session]?.fail(new Error('the session has ended'))
    await expect(progressed).rejects.toThrow('the session has ended')
    await new Promise(resolve => setImmediate(resolve))
    expect(first.isDone).toBe(false)
  }
  const progressed = progress()
  await expect.poll(() => barriers).toHaveLength(3)
  barriers[2]?.reach()
  await progressed
  await expect.poll(() => first.isDone).toBe(true)
})
