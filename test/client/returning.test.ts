import { decodeFrame } from '@kith/shared/wire'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { backend } from '../support/backend.ts'

test('[F1] a returning device sends its cursor, and gets what changed since', async () => {
  const { open, device } = await backend()
  const owners = [await device('alice'), await device('carol')]
  for (const owner of owners) {
    await owner.ownProfile.set('name', `${owner.user} before`)
    await owner.whenSynced()
  }
  const phone = { indexedDB: new IDBFactory(), databaseName: 'phone' }
  const bob = await open('bob', phone)
  for (const { user } of owners) await bob.getProfile(user).loaded
  await bob.whenSynced()
  await bob.close()
  await owners[0]?.ownProfile.set('name', 'alice after')
  await owners[0]?.whenSynced()

  const came: unknown[] = []
  class Overheard extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      this.on('message', data => {
        const frame = decodeFrame(new Uint8Array(data as Buffer))
        if (frame.type === 'profile') came.push(frame.fields)
      })
    }
  }
  const again = await open('bob', { ...phone, WebSocket: Overheard })
  await again.whenSynced()
  expect(came).toEqual([{ name: 'alice after' }])
  expect(again.getProfile('alice').get('name')).toBe('alice after')
})
