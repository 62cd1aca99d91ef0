import { applyChanges, flatMapsOf, type KeyChange, profileKey, rosterBytes } from '@kith/shared'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { type Device, newNonce } from '../support/raw-device.ts'
import { serverWorld, settle } from '../support/server-world.ts'

test('[D2] during a disk write nothing is acknowledged or relayed, and after it everything is', async () => {
  const world = await serverWorld()
  const [alice, laptop, bob] = await world.devices('alice', 'alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  const held = world.disk.hold()
  alice.setField('name', 'Ada')
  alice.edit('carol', { label: 'Carol' })
  const answered = alice.barrier()
  await held
  // The same server answers these requests in the meantime.
  await world.admin('GET', '/v1/users/alice')
  laptop.send({ type: 'queryAwareness' })
  await laptop.next('awareness')
  expect(alice.all('reached')).toHaveLength(1)
  expect([bob.received('Ada'), laptop.received('Ada'), laptop.received('Carol')]).toEqual([false, false, false])
  world.disk.release()
  expect(await answered).toBe(true)
  await settle(laptop, bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  expect(laptop.received('Ada')).toBe(true)
  expect(laptop.roster.getMap('labels').get('carol')).toBe('Carol')
})

test('[D2] a failed commit acknowledges nothing, relays nothing and closes the session with 4500', async () => {
  const world = await serverWorld()
  const [alice, laptop, bob] = await world.devices('alice', 'alice', 'bob')
  bob.edit('alice', { isSubscribed: true })
  await settle(bob)
  world.disk.failNextWrites(1)
  alice.setField('name', 'Ada')
  const lost = alice.barrier().catch(() => 'closed')
  expect((await alice.closed()).code).toBe(4500)
  expect(await lost).toBe('closed')
  await settle(laptop, bob)
  expect(bob.received('Ada') || laptop.received('Ada')).toBe(false)
  expect(world.errors).toHaveLength(1)
  await alice.signIn()
  await settle(laptop, bob)
  expect(bob.sees('alice')).toEqual({ name: 'Ada' })
  expect(await world.check()).toEqual([])
})

test('[V6] an edit sent after a revocation whose commit fails is not written either', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('bob', { levels: [1] })
  alice.setField('phone', 'old', 1)
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob)
  const held = world.disk.hold()
  alice.edit('bob', { levels: [] })
  await held
  alice.setField('phone', 'secret', 1)
  alice.send({ type: 'queryAwareness' })
  await alice.next('awareness')
  world.disk.failNextWrites(1)
  world.disk.release()
  await alice.closed()
  await settle(bob)
  expect(bob.received('secret')).toBe(false)
  await alice.signIn()
  await settle(alice, bob)
  expect(bob.received('secret')).toBe(false)
  expect(bob.sees('alice')).toEqual({})
})

test('[D3] a barrier covers removals', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.edit('bob', { label: 'Bob', levels: [1] })
  alice.setField('name', 'Ada')
  await alice.barrier()
  const held = world.disk.hold()
  alice.edit('bob', { label: '', levels: null })
  alice.setField('name', undefined)
  const answered = alice.barrier()
  await held
  expect(alice.all('reached')).toHaveLength(2)
  world.disk.release()
  expect(await answered).toBe(true)
  const other = world.device('alice')
  await other.signIn()
  expect(other.roster.getMap('labels').size + other.roster.getMap('grants').size).toBe(0)
  expect(other.profile.getMap('fields').size).toBe(0)
})

test('[D5] a barrier after an update with missing predecessors is incomplete, and the state is requested once', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  const updates: Uint8Array[] = []
  const doc = new Y.Doc()
  doc.on('update', update => updates.push(update))
  for (const key of ['bob', 'carol', 'dave']) applyChanges(doc, [{ root: 'contacts', key, value: true }])
  const from = alice.frames.length
  for (const payload of updates.slice(1)) alice.send({ type: 'rosterSync', step: 'update', payload })
  expect(await alice.barrier()).toBe(false)
  const asked = alice.frames.slice(from).filter(frame => frame.type === 'rosterSync' && frame.step === 'step1')
  expect(asked).toHaveLength(1)
  alice.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(doc) })
  expect(await alice.barrier()).toBe(true)
  const other = world.device('alice')
  await other.signIn()
  expect([...other.roster.getMap('contacts').keys()].sort()).toEqual(['bob', 'carol', 'dave'])
})

/** Sends a change that the device's own documents do not contain. */
async function attempt(device: Device, document: 'roster' | 'profile', changes: readonly KeyChange[]): Promise<string> {
  const doc = new Y.Doc()
  applyChanges(doc, changes)
  const refused = device.next('refused')
  const type = document === 'roster' ? 'rosterSync' : 'ownProfile'
  device.send({ type, step: 'update', payload: Y.encodeStateAsUpdate(doc) })
  const [{ code }, isComplete] = await Promise.all([refused, device.barrier()])
  expect(isComplete).toBe(false)
  return code
}

const field = (level: number, name: string, value: string | number): KeyChange => ({
  root: 'fields',
  key: profileKey(level, newNonce(), name),
  value,
})

test('[S2][S3] a refused update is answered with its code, nothing of it is written, and later changes are admitted', async () => {
  const world = await serverWorld({
    limits: { labelBytes: 10, rosterBytes: 4000, profileBytes: 100, profileLevels: 2, fieldNameBytes: 8 },
  })
  const [alice] = await world.devices('alice')
  alice.setField('name', 'Ada', 1)
  expect(await alice.barrier()).toBe(true)
  const label = { root: 'labels', key: 'bob', value: 'ü'.repeat(6) }
  expect(await attempt(alice, 'roster', [label])).toBe('label-too-long')
  expect(await attempt(alice, 'profile', [field(1, 'bio', 'x'.repeat(100))])).toBe('profile-too-large')
  expect(await attempt(alice, 'profile', [field(2, 'a', 1), field(3, 'b', 2)])).toBe('too-many-levels')
  expect(await attempt(alice, 'profile', [field(1, 'a name too long', 1)])).toBe('field-name-too-long')
  for (let count = 0; count < 90; count++) alice.edit(`somebody ${count}`, { isSubscribed: true })
  const many = Array.from({ length: 100 }, (_, index) => ({ root: 'contacts', key: `contact ${index}`, value: true }))
  expect(await attempt(alice, 'roster', many)).toBe('roster-too-large')
  for (const wrong of [
    { root: 'unknown', key: 'bob', value: true },
    { root: 'contacts', key: '..', value: true },
    { root: 'grants', key: '256/bob', value: true },
    { root: 'contacts', key: 'bob', value: 'true' },
    { root: 'blocks', key: 'short/bob', value: true },
  ]) {
    expect(await attempt(alice, 'roster', [wrong])).toBe('malformed')
  }
  expect(await attempt(alice, 'profile', [{ root: 'fields', key: 'name', value: 'Eve' }])).toBe('malformed')
  alice.edit('carol', { label: 'Carol' })
  alice.setField('city', 'Bath', 1)
  expect(await alice.barrier()).toBe(true)
  const other = world.device('alice')
  await other.signIn()
  expect(other.roster.getMap('labels').get('carol')).toBe('Carol')
  expect(other.roster.getMap('contacts').size).toBe(0)
  expect(other.profile.getMap('fields').size).toBe(2)
  expect(await world.check()).toEqual([])
})

test('[S3] an update that only removes is admitted at any size', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 1200 } })
  const [alice] = await world.devices('alice')
  for (let count = 0; count < 40; count++) alice.edit(`contact ${count}`, { levels: [1] })
  expect(await alice.barrier()).toBe(false)
  const [other] = await world.devices('alice')
  const stored = [...other.roster.getMap('contacts').keys()]
  expect(stored.length).toBeGreaterThan(5)
  for (const contact of stored) other.edit(contact, { levels: null })
  expect(await other.barrier()).toBe(true)
  const third = world.device('alice')
  await third.signIn()
  expect(third.roster.getMap('contacts').size).toBe(0)
})

test('[S3] a roster of removed names does not grow without end', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 2000, historyBytes: 4000 } })
  const [alice] = await world.devices('alice')
  const refusals: unknown[] = []
  for (let round = 0; round < 20 && refusals.length === 0; round++) {
    // Each round uses a new document, in which every contact is removed before any other device receives it.
    const doc = new Y.Doc()
    const names = Array.from({ length: 40 }, (_, index) => `removed ${round} ${index}`)
    applyChanges(
      doc,
      names.map(key => ({ root: 'contacts', key, value: true })),
    )
    applyChanges(
      doc,
      names.map(key => ({ root: 'contacts', key, value: undefined })),
    )
    alice.send({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(doc) })
    if (!(await alice.barrier())) refusals.push(round)
  }
  expect(refusals).toHaveLength(1)
})

test('[S3] updates that are admitted together count together against the limit', async () => {
  const world = await serverWorld({ limits: { rosterBytes: 4000 } })
  const [alice] = await world.devices('alice')
  const held = world.disk.hold()
  alice.edit('first', { isSubscribed: true })
  await held
  for (let count = 0; count < 10; count++) {
    const doc = new Y.Doc()
    const changes = Array.from({ length: 40 }, (_, n) => ({ root: 'contacts', key: `c ${count} ${n}`, value: true }))
    applyChanges(doc, changes)
    alice.send({ type: 'rosterSync', step: 'update', payload: Y.encodeStateAsUpdate(doc) })
  }
  const barrier = alice.barrier()
  world.disk.release()
  expect(await barrier).toBe(false)
  const other = world.device('alice')
  await other.signIn()
  expect(rosterBytes(flatMapsOf(other.roster))).toBeLessThanOrEqual(4000)
})

test('[F3] a refused first roster does not register its user', async () => {
  const world = await serverWorld()
  const alice = world.device('alice')
  alice.change([{ root: 'nonsense', key: 'x', value: true }])
  await alice.dial()
  expect((await alice.closed()).code).toBe(4400)
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(404)
})

test('updates that arrive while the account is erased are not written', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  const held = world.disk.hold()
  const erased = world.admin('DELETE', '/v1/users/alice')
  await held
  alice.edit('bob', { label: 'a late secret' })
  alice.send({ type: 'queryAwareness' })
  await alice.next('awareness')
  world.disk.release()
  expect((await erased).status).toBe(204)
  expect((await alice.closed()).code).toBe(4401)
  world.clock.leap(5)
  const other = world.device('alice')
  await other.signIn()
  expect(other.received('a late secret')).toBe(false)
})
