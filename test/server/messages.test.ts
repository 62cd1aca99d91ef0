import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, type World } from '../support/server-world.ts'

test('a message is delivered to every device of the addressee and to the other devices of a sender who writes to itself', async () => {
  const world = await serverWorld()
  const [alice, phone, laptop] = await world.devices('alice', 'bob', 'bob')
  await alice.fetch('bob')
  const got = [phone.next('message'), laptop.next('message')]
  expect(await alice.sendMessage('bob', 'hello', 'm1')).toBe('delivered')
  for (const message of await Promise.all(got)) {
    expect(message).toEqual({ type: 'message', id: 'm1', from: 'alice', text: 'hello' })
  }
  const note = laptop.next('message')
  expect(await phone.sendMessage('bob', 'to myself')).toBe('delivered')
  expect(await note).toMatchObject({ from: 'bob', text: 'to myself' })
  expect(phone.received('to myself')).toBe(false)
})

test('a message that no device acknowledged is undelivered within the sender’s 10 seconds', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  await alice.fetch('bob')
  bob.takesMessages = false
  const arrived = bob.next('message')
  const outcome = alice.sendMessage('bob', 'are you there?', 'm1')
  await arrived
  world.clock.move(8_999)
  await alice.barrier()
  expect(alice.all('outcome')).toEqual([])
  world.clock.move(1)
  expect(await outcome).toBe('undelivered')
  bob.send({ type: 'received', id: 'm1', from: 'alice' })
  await bob.barrier()
  await alice.barrier()
  expect(alice.all('outcome')).toHaveLength(1)
})

test('a receipt counts from the addressee only', async () => {
  const world = await serverWorld()
  const [alice, bob, mallory] = await world.devices('alice', 'bob', 'mallory')
  await alice.fetch('bob')
  bob.takesMessages = false
  const arrived = bob.next('message')
  const outcome = alice.sendMessage('bob', 'hello', 'm1')
  await arrived
  mallory.send({ type: 'received', id: 'm1', from: 'alice' })
  await mallory.barrier()
  expect(alice.all('outcome')).toEqual([])
  bob.send({ type: 'received', id: 'm1', from: 'alice' })
  expect(await outcome).toBe('delivered')
})

test('[V1] a message to a user whom the sender blocks does not arrive', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  await alice.fetch('bob')
  alice.edit('bob', { isBlocked: true })
  await alice.barrier()
  expect(await sendInTime(world, alice, 'bob', 'hello')).toBe('unconfirmed')
  alice.edit('bob', { isBlocked: false })
  await alice.barrier()
  expect(await alice.sendMessage('bob', 'hello again')).toBe('delivered')
  expect(bob.all('message').map(({ text }) => text)).toEqual(['hello again'])
})

test('[V2] restricted users reach those whom they are paired with', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  await world.admin('PUT', '/v1/users/alice', { restricted: true })
  expect(await sendInTime(world, alice, 'bob', 'one')).toBe('unconfirmed')
  await world.admin('PUT', '/v1/pairs/bob/alice')
  expect(await sendInTime(world, alice, 'bob', 'two')).toBe('unconfirmed')
  expect(await sendInTime(world, bob, 'alice', 'three')).toBe('unconfirmed')
  await world.admin('DELETE', '/v1/pairs/alice/bob')
  expect(await sendInTime(world, bob, 'alice', 'four')).toBe('unconfirmed')
  await bob.barrier()
  expect([alice, bob].map(device => device.all('message').map(({ text }) => text))).toEqual([['three'], ['two']])
})

test('[S3] a message above the size limit is refused with a code; a message of exactly that size is delivered', async () => {
  const world = await serverWorld({ limits: { messageBytes: 10 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  await alice.fetch('bob')
  expect(await alice.sendMessage('bob', 'ü'.repeat(5))).toBe('delivered')
  expect(await alice.sendMessage('bob', `${'ü'.repeat(5)}!`)).toBe('undelivered')
  expect(alice.all('outcome').at(-1)?.refusal).toEqual({ code: 'message-too-long', retryAfterMs: 0 })
  expect(bob.all('message')).toHaveLength(1)
})

test('[S3] a message beyond the rate is refused with a hint, and earlier ones are delivered', async () => {
  const world = await serverWorld({ limits: { messagesPerSecond: 2, messagesBurst: 3 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  await alice.fetch('bob')
  const sent = ['one', 'two', 'three', 'four'].map(text => alice.sendMessage('bob', text))
  expect(await Promise.all(sent)).toEqual(['delivered', 'delivered', 'delivered', 'undelivered'])
  const refusals = alice.all('outcome').flatMap(({ refusal }) => (refusal ? [refusal] : []))
  expect(refusals).toEqual([{ code: 'too-many-messages', retryAfterMs: 500 }])
  world.clock.move(500)
  expect(await alice.sendMessage('bob', 'five')).toBe('delivered')
  expect(bob.all('message').map(({ text }) => text)).toEqual(['one', 'two', 'three', 'five'])
})

test('[S3] a device that keeps sending beyond the rate is closed with 4529 and a hint', async () => {
  const world = await serverWorld({ limits: { messagesPerSecond: 2, messagesBurst: 3, writesBurst: 30 } })
  const [alice] = await world.devices('alice', 'bob')
  for (let count = 0; count < 40; count++) {
    alice.send({ type: 'sendMessage', id: String(count), to: 'bob', text: 'flood' })
  }
  expect(await alice.closed()).toEqual({ code: 4529, reason: 'too-many-writes retry-after-ms=5' })
})

test('[S4] a message to a user who was never looked up is a look-up; beyond the budget it is refused with the time to wait', async () => {
  const world = await serverWorld({ limits: { lookups: 1, lookupsPerDay: 24 } })
  const [alice] = await world.devices('alice', 'bob', 'carol')
  expect(await sendInTime(world, alice, 'bob', 'hello')).toBe('unconfirmed')
  expect(await alice.sendMessage('carol', 'hello')).toBe('undelivered')
  expect(alice.all('outcome').at(-1)?.refusal).toEqual({ code: 'discovery-limit', retryAfterMs: 3_599_000 })
  expect(await sendInTime(world, alice, 'bob', 'again')).toBe('unconfirmed')
  world.clock.leap(3_600_000)
  expect(await sendInTime(world, alice, 'carol', 'hello')).toBe('unconfirmed')
})

test('[S1] a message without text ends the session', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.send({ type: 'sendMessage', id: 'm1', to: 'bob', text: '' })
  expect(await alice.closed()).toMatchObject({ code: 4400 })
  await bob.barrier()
  expect(bob.all('message')).toEqual([])
})

/** Sends a message, and lets the time pass after which an outcome arrives that confirms nothing. */
async function sendInTime(world: World, device: Device, to: string, text: string): Promise<string> {
  const outcome = device.sendMessage(to, text)
  await device.barrier()
  world.clock.move(1_000)
  return outcome
}
