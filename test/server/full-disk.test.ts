import { execFileSync } from 'node:child_process'
import { cp, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openLevelStore } from '@kith/server'
import { expect, test } from 'vitest'
import {
  limitsWith,
  newDatabase,
  profileChange,
  stillClock,
  storeOver,
  temporaryFolder,
  userChange,
} from '../support/store-world.ts'

/** Files of this process may grow to this size and no further, as on a disk that is full. Node ignores the signal. */
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

test.runIf(canLimit)('[D2] what is answered after the disk was full is there after a crash', async () => {
  const options = { limits: limitsWith(), clock: stillClock() }
  const folder = await temporaryFolder()
  const store = await openLevelStore(folder, options)
  await store.commit(userChange('before'))
  limitFiles((await logBytes(folder)) + 300)
  try {
    await expect(store.commit(profileChange('ada', { 0: 'x'.repeat(3000) }))).rejects.toThrow()
    await expect(store.commit(profileChange('bob', { 0: 'x'.repeat(3000) }))).rejects.toThrow()
  } finally {
    limitFiles('unlimited')
  }
  for (let index = 0; index < 20; index++) await store.commit(userChange(`user ${index}`))
  expect(store.position).toBe(21)

  // What the disk holds is what a crash would leave.
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

test('[D2] a write that fails after it reached the disk counts, and is told', async () => {
  const database = await newDatabase('level')
  let failures = 1
  const store = storeOver(
    new Proxy(database, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (name !== 'batch') return typeof value === 'function' ? value.bind(target) : value
        return async (...args: unknown[]) => {
          await (target.batch as (...args: unknown[]) => Promise<void>)(...args)
          if (failures-- > 0) throw new Error('the disk failed to sync')
        }
      },
    }),
    stillClock(),
  )
  const told: number[] = []
  store.watch({ committed: commits => void told.push(...commits.map(({ position }) => position)) })
  await store.commit(userChange('ada'))
  await store.commit(userChange('bob'))
  expect(told).toEqual([1, 2])
  expect(store.position).toBe(2)
  expect((await store.users(['ada', 'bob'])).map(({ registeredAt }) => registeredAt)).toEqual([1, 2])
})
