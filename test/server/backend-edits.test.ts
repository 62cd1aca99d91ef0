import { TestClock } from '@kith/server/testing'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { accountsOver } from '../support/account-world.ts'
import { BackendEdits } from '../support/server-internals.ts'
import { newDatabase, storeOver } from '../support/stores.ts'

test('[R6] the backend uses no client id again after the database lost history: a device may have received what was lost', async () => {
  const clock = new TestClock()
  const store = storeOver(await newDatabase('memory'), clock)
  const { accounts, device } = accountsOver(store, clock)
  device('alice').connect()
  await accounts.idle()
  let losses = 0
  const losing = Object.defineProperty(Object.create(store), 'losses', { get: () => losses })
  const edits = new BackendEdits(losing, accounts)
  const clientsAfter = async (value: string): Promise<number> => {
    await edits.editProfile('alice', [{ level: 0, name: value, value }])
    const doc = new Y.Doc()
    for (const part of (await store.document('alice', 'profile')).parts) Y.applyUpdateV2(doc, part)
    return doc.store.clients.size
  }
  expect([await clientsAfter('one'), await clientsAfter('two')]).toEqual([1, 1])
  losses = 1
  expect([await clientsAfter('three'), await clientsAfter('four')]).toEqual([2, 2])
})
