import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { engineWorld, rest } from '../support/engine-world.ts'
import { type DocumentsChange, profileChange, rosterChange } from '../support/server-internals.ts'

const hourMs = 60 * 60 * 1000

/** A roster in which Bob follows others, as far as the store goes by it. */
function follows(...owners: string[]): DocumentsChange {
  const change = rosterChange('bob', Object.fromEntries(owners.map(owner => [owner, { isSubscribed: true }])))
  if (change.roster) change.roster.update = Y.encodeStateAsUpdateV2(new Y.Doc())
  return change
}

test('[S3][S4] a follow for which the budget refills while the others are served is served a second later', async () => {
  const world = await engineWorld({ lookups: 2, lookupsPerDay: 24 })
  const { store, clock } = world
  const owners = ['alice', 'carol', 'dave']
  for (const owner of owners) await store.commit(profileChange(owner, { 0: owner }))
  await store.commit(follows(...owners))
  expect((await store.user('bob')).waiting).toBe(1)
  const line = await world.signIn('bob')
  const held = world.hold('commit')
  line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  const release = await held
  clock.move(hourMs)
  release()
  await rest()
  expect((await store.user('bob')).waiting).toBe(1)
  clock.move(1_000)
  await rest()
  expect((await store.user('bob')).waiting).toBe(0)
  expect(line.frames.filter(({ type }) => type === 'profile').length).toBe(3)
})

test('[S3] while changes are refused, waiting follows do not keep the server busy', async () => {
  const world = await engineWorld({ lookups: 1, lookupsPerDay: 24 })
  const { store, clock } = world
  await store.commit(follows('alice', 'carol'))
  const line = await world.signIn('bob')
  const held = world.hold('commit')
  line.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  const release = await held
  clock.move(hourMs)
  Object.defineProperty(store, 'refusal', { value: new Error('the disk is full') })
  release()
  await rest()
  let reads = 0
  const user = store.user
  store.user = id => {
    reads++
    return user(id)
  }
  for (let round = 0; round < 10; round++) {
    clock.move(10)
    await rest()
  }
  expect(reads).toBe(0)
  clock.move(1_000)
  await rest()
  expect(reads).toBeGreaterThan(0)
})
