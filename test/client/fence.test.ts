import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import {
  beginTerm,
  coreOf,
  fenced,
  isCurrent,
  SteppedDown,
  storeFrames,
  systemRandomness,
} from '../support/client-internals.ts'
import { installation } from '../support/devices.ts'

test('[V7] frames of a replaced connection are not stored over those of the newer connection', async () => {
  const alice = await installation('alice', { indexedDB: new IDBFactory() }).open()
  const { store } = coreOf(alice)
  const { db } = store
  const [older, newer] = ['one', 'two'].map(term => fenced(store, () => isCurrent(db, term)))
  const frames = (name: string, cursor: number): Parameters<typeof storeFrames>[1] => [
    {
      type: 'access',
      owner: 'bob',
      levels: [0],
      isWaiting: false,
      hasJustJoined: false,
      isFetched: true,
      cursor: Uint8Array.of(),
    },
    { type: 'profile', owner: 'bob', level: 0, fields: { name }, cursor: Uint8Array.of(cursor) },
  ]
  // After a loss, no tab has taken over the database yet, and every tab may write to it.
  await storeFrames(older as typeof store, frames('Bob', 1), systemRandomness)
  await beginTerm(db, 'one')
  await storeFrames(older as typeof store, frames('Robert', 2), systemRandomness)
  await beginTerm(db, 'two')
  await storeFrames(newer as typeof store, frames('Rob', 3), systemRandomness)
  await expect(storeFrames(older as typeof store, frames('Robert', 2), systemRandomness)).rejects.toThrow(SteppedDown)
  await expect((older as typeof store).work(async () => 'done')).rejects.toThrow(SteppedDown)
  expect(await (newer as typeof store).work(async () => 'done')).toBe('done')
  const profile = alice.getProfile('bob')
  await profile.loaded
  expect(profile.get('name')).toBe('Rob')
  expect((await db.meta.get('cursor'))?.value).toEqual(Uint8Array.of(3))
  // The app's own operations continue, whichever tab has the connection.
  await alice.ownProfile.set('name', 'Ada')
})
