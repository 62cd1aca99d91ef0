import { expect, test } from 'vitest'
import { serverWorld } from '../support/server-world.ts'

test('a message is delivered to every device of the addressee and to the other devices of a sender who writes to itself', async () => {
  const world = await serverWorld()
  const [alice, phone, laptop] = await world.devices('alice', 'bob', 'bob')
  const got = [phone.next('message'), laptop.next('message')]
  expect(await alice.sendMessage('bob', 'hello', 'm1')).toBe(true)
  for (const message of await Promise.all(got)) {
    expect(message).toEqual({ type: 'message', id: 'm1', from: 'alice', text: 'hello' })
  }
  const note = laptop.next('message')
  expect(await phone.sendMessage('bob', 'to myself')).toBe(true)
  expect(await note).toMatchObject({ from: 'bob', text: 'to myself' })
  expect(phone.received('to myself')).toBe(false)
})

test('a message that no device has taken within 10 seconds is undelivered', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  bob.takesMessages = false
  const arrived = bob.next('message')
  const outcome = alice.sendMessage('bob', 'are you there?', 'm1')
  await arrived
  world.clock.move(9_999)
  await alice.barrier()
  expect(alice.all('outcome')).toEqual([])
  world.clock.move(1)
  expect(await outcome).toBe(false)
  bob.send({ type: 'received', id: 'm1', from: 'alice' })
  await bob.barrier()
  await alice.barrier()
  expect(alice.all('outcome')).toHaveLength(1)
})

test('a receipt counts from the addressee only', async () => {
  const world = await serverWorld()
  const [alice, bob, mallory] = await world.devices('alice', 'bob', 'mallory')
  bob.takesMessages = false
  const arrived = bob.next('message')
  const outcome = alice.sendMessage('bob', 'hello', 'm1')
  await arrived
  mallory.send({ type: 'received', id: 'm1', from: 'alice' })
  await mallory.barrier()
  expect(alice.all('outcome')).toEqual([])
  bob.send({ type: 'received', id: 'm1', from: 'alice' })
  expect(await outcome).toBe(true)
})

test('[V8] an offline, unknown, blocking or restricted addressee looks the same to the sender, byte for byte', async () => {
  const world = await serverWorld()
  const [alice, blocker, apart, away] = await world.devices('alice', 'blocker', 'apart', 'offline')
  await away.close()
  blocker.edit('alice', { isBlocked: true })
  await blocker.barrier()
  await world.admin('PUT', '/v1/users/apart', { restricted: true })
  const answers: string[] = []
  for (const to of ['nobody-at-all', 'blocker', 'apart', 'offline']) {
    const from = alice.bytes.length
    expect(await alice.sendMessage(to, 'hello', 'same id')).toBe(false)
    await alice.barrier()
    answers.push(
      alice.bytes
        .slice(from, -1)
        .map(frame => Buffer.from(frame).toString('hex'))
        .join(' '),
    )
  }
  expect(new Set(answers).size).toBe(1)
  for (const receiver of [blocker, apart]) {
    await receiver.barrier()
    expect(receiver.received('hello')).toBe(false)
  }
})

test('[V1] who blocks somebody does not reach them either', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('bob', { isBlocked: true })
  await alice.barrier()
  expect(await alice.sendMessage('bob', 'hello')).toBe(false)
  alice.edit('bob', { isBlocked: false })
  await alice.barrier()
  expect(await alice.sendMessage('bob', 'hello again')).toBe(true)
  expect(bob.received('hello again')).toBe(true)
})

test('[V2] restricted users reach those whom they are paired with', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  await world.admin('PUT', '/v1/users/alice', { restricted: true })
  expect(await alice.sendMessage('bob', 'one')).toBe(false)
  await world.admin('PUT', '/v1/pairs/bob/alice')
  expect(await alice.sendMessage('bob', 'two')).toBe(true)
  expect(await bob.sendMessage('alice', 'three')).toBe(true)
  await world.admin('DELETE', '/v1/pairs/alice/bob')
  expect(await bob.sendMessage('alice', 'four')).toBe(false)
})

test('[S3] a message beyond its size is undelivered, with a code; one of the very size goes', async () => {
  const world = await serverWorld({ limits: { messageBytes: 10 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  expect(await alice.sendMessage('bob', 'ü'.repeat(5))).toBe(true)
  expect(await alice.sendMessage('bob', `${'ü'.repeat(5)}!`)).toBe(false)
  expect(alice.all('outcome').at(-1)?.refusal).toEqual({ code: 'message-too-long', retryAfterMs: 0 })
  expect(bob.all('message')).toHaveLength(1)
})

test('[S3] beyond the rate a message is refused, with a hint, and those before it are delivered', async () => {
  const world = await serverWorld({ limits: { messagesPerSecond: 2, messagesBurst: 3 } })
  const [alice, bob] = await world.devices('alice', 'bob')
  const sent = ['one', 'two', 'three', 'four'].map(text => alice.sendMessage('bob', text))
  expect(await Promise.all(sent)).toEqual([true, true, true, false])
  const refusals = alice.all('outcome').flatMap(({ refusal }) => (refusal ? [refusal] : []))
  expect(refusals).toEqual([{ code: 'too-many-messages', retryAfterMs: 500 }])
  world.clock.move(500)
  expect(await alice.sendMessage('bob', 'five')).toBe(true)
  expect(bob.all('message').map(({ text }) => text)).toEqual(['one', 'two', 'three', 'five'])
})

test('[S3] whoever goes on sending beyond the rate is closed with 4529 and a hint', async () => {
  const world = await serverWorld({ limits: { messagesPerSecond: 2, messagesBurst: 3, writesBurst: 30 } })
  const [alice] = await world.devices('alice', 'bob')
  for (let count = 0; count < 40; count++) {
    alice.send({ type: 'sendMessage', id: String(count), to: 'bob', text: 'flood' })
  }
  expect(await alice.closed()).toEqual({ code: 4529, reason: 'too-many-writes retry-after-ms=5' })
})

test('[S4] a message to somebody new is a look-up; beyond the budget it fails and says for how long', async () => {
  const world = await serverWorld({ limits: { lookups: 1, lookupsPerDay: 24 } })
  const [alice] = await world.devices('alice', 'bob', 'carol')
  expect(await alice.sendMessage('bob', 'hello')).toBe(true)
  expect(await alice.sendMessage('carol', 'hello')).toBe(false)
  expect(alice.all('outcome').at(-1)?.refusal).toEqual({ code: 'discovery-limit', retryAfterMs: 3_600_000 })
  expect(await alice.sendMessage('bob', 'again')).toBe(true)
  world.clock.leap(3_600_000)
  expect(await alice.sendMessage('carol', 'hello')).toBe(true)
})
