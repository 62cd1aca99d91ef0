import type { Change, LevelDatabase } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import { keys, profileChange, rosterChange, userChange } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

/** A database that records which keys are read together. */
async function counted(): Promise<{ database: LevelDatabase; reads: string[][] }> {
  const reads: string[][] = []
  const database = new Proxy(await newDatabase('memory'), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'getMany') return value.bind(target)
      return (wanted: string[]) => {
        reads.push(wanted)
        return target.getMany(wanted)
      }
    },
  })
  return { database, reads }
}

test('[S3] what the changes of a batch name is read once, with one read for each kind of record', async () => {
  const { database, reads } = await counted()
  const store = storeOver(database, new TestClock())
  const users = Array.from({ length: 20 }, (_, index) => `user ${index}`)
  for (const user of users) await store.commit(userChange(user))
  const first = userChange('a')
  const batch = users.flatMap((user, index): Change[] => [
    rosterChange(user, { [`user ${(index + 1) % 20}`]: { isContact: true, levels: [1] }, stranger: {} }),
    profileChange(user, { 0: `${index}`, 1: `${index}` }),
    { type: 'lookup', user, owner: 'stranger' },
    { type: 'pair', a: user, b: `user ${(index + 2) % 20}`, isPaired: true },
    { type: 'seen', users: [{ user, minute: index }] },
    { type: 'promote', user },
  ])
  batch.push({ type: 'erase', user: 'nobody' }, { type: 'revoke', user: 'user 0' })
  reads.splice(0)
  // The first may be written alone. The changes that arrive meanwhile form one batch.
  await Promise.all([first, ...batch].map(change => store.commit(change)))
  const ofBatch = reads.filter(wanted => wanted.join() !== keys.user('a'))
  const kindsOf = (wanted: string[]): string[] => [...new Set(wanted.map(key => key.split('\u0000')[0] as string))]
  expect(ofBatch.map(kindsOf).sort()).toEqual([['asked'], ['erased'], ['level'], ['relation'], ['tokens'], ['user']])
})
