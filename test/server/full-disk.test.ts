import { execFileSync } from 'node:child_process'
import { cp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openLevelStore, type Store } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { batchOfEitherKind } from '../support/chained-batch.ts'
import { encodeRelation, keys, noRelation, profileChange, userChange } from '../support/server-internals.ts'
import { limitsWith, newDatabase, storeOver, temporaryFolder } from '../support/stores.ts'

/** Limits the size of this process's files, as on a full disk. Node ignores the signal. */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`])
}

async function logBytes(folder: string): Promise<number> {
  const files = await readdir(join(folder, 'store'))
  const sizes = await Promise.all(
    files.filter(file => file.endsWith('.log')).map(file => stat(join(folder, 'store', file))),
  )
  return Math.max(...sizes.map(({ size }) => size))
}

const canLimit = process.platform === 'linux'

test.runIf(canLimit)('[D2] changes acknowledged after the disk was full survive a crash', async () => {
  const clock = new TestClock()
  const options = { limits: limitsWith(), clock }
  const folder = await temporaryFolder()
  const store = await openLevelStore(folder, options)
  await store.commit(userChange('before'))
  limitFiles((await logBytes(folder)) + 300)
  try {
    const refused = {
      code: 'unavailable',
      retryAfterMs: 10_000,
      message: /^The server cannot store changes right now: a file/,
    }
    await expect(store.commit(profileChange('ada', { 0: 'x'.repeat(3000) }))).rejects.toMatchObject(refused)
    await expect(store.commit(userChange('bob'))).rejects.toMatchObject(refused)
    expect((await store.user('before')).registeredAt, 'what is on disk can be read').toBe(1)
    clock.move(60_000)
    await expect(store.commit(userChange('bob'))).rejects.toMatchObject(refused)
  } finally {
    limitFiles('unlimited')
  }
  const refusal = (): unknown => {
    clock.move(1_000)
    return store.refusal
  }
  await expect.poll(refusal, { message: 'without any traffic' }).toBe(undefined)
  expect(await readdir(folder)).toEqual(['acknowledged', 'store'])
  for (let index = 0; index < 20; index++) await store.commit(userChange(`user ${index}`))
  expect(store.position).toBe(21)

  // A crash would leave what is on the disk now.
  const crashed = await temporaryFolder()
  await cp(folder, crashed, { recursive: true })
  await store.close()
  const recovered = await openLevelStore(crashed, options)
  expect(recovered.position).toBe(21)
  expect((await recovered.user('before')).registeredAt).toBe(1)
  expect((await recovered.user('user 19')).registeredAt).toBe(21)
  expect((await recovered.user('ada')).registeredAt).toBe(0)
  await recovered.close()
})

test('[D2] a write that fails after it reached the disk counts, and is reported to listeners', async () => {
  const database = await newDatabase('level')
  let failures = 1
  const store = storeOver(
    new Proxy(database, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (name !== 'batch') return typeof value === 'function' ? value.bind(target) : value
        return batchOfEitherKind(async (...args) => {
          await (target.batch as (...args: unknown[]) => Promise<void>)(...args)
          if (failures-- > 0) throw new Error('the disk failed to sync')
        })
      },
    }),
    new TestClock(),
  )
  const told: number[] = []
  store.onCommit({ committed: commits => void told.push(...commits.map(({ position }) => position)) })
  await store.commit(userChange('ada'))
  await store.commit(userChange('bob'))
  expect(told).toEqual([1, 2])
  expect(store.position).toBe(2)
  expect((await store.users(['ada', 'bob'])).map(({ registeredAt }) => registeredAt)).toEqual([1, 2])
})

test('[D2] reads that begin before or while the database is opened again end as if it had been open all the time', async () => {
  const database = await newDatabase('level')
  // Enough that they are read in several steps.
  const known = Array.from({ length: 5_000 }, (_, index) => keys.relation('ada', `user ${index}`))
  const updates = Array.from({ length: 5_000 }, (_, index) => keys.update('ada', 'roster', index))
  await database.batch([
    ...known.map(key => ({ type: 'put' as const, key, value: encodeRelation(noRelation) })),
    ...updates.map(key => ({ type: 'put' as const, key, value: new Uint8Array(10) })),
  ])
  let failures = 1
  let store: Store
  const read = () =>
    Promise.all([
      store.user('ada'),
      store.relations('ada'),
      store.levelsWithFields('ada'),
      store.document('ada', 'roster'),
    ])
  const reads: ReturnType<typeof read>[] = []
  store = storeOver(
    new Proxy(database, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (name === 'batch' && failures-- > 0)
          return batchOfEitherKind(() => Promise.reject(new Error('the disk failed')))
        if (name !== 'close') return typeof value === 'function' ? value.bind(target) : value
        return async () => {
          reads.push(...Array.from({ length: 20 }, read))
          const closed = target.close()
          reads.push(read())
          await closed
        }
      },
    }),
    new TestClock(),
  )
  await expect(store.commit(userChange('bob'))).rejects.toThrow('the disk failed')
  expect(reads).toHaveLength(21)
  for (const [user, relations, levels, document] of await Promise.all(reads)) {
    expect([user.registeredAt, relations.length, levels, document.parts.length]).toEqual([0, 5_000, [], 5_000])
  }
  await store.commit(userChange('ada'))
})
