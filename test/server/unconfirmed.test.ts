import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

/** Resolves when everything under way has progressed as far as it can. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** What a stranger's device receives, and when, from its message on: milliseconds and bytes. */
async function timeline(world: World, stranger: Device, to: string): Promise<string[]> {
  const seen: string[] = []
  let known = stranger.bytes.length
  const note = (ms: number): void => {
    for (const frame of stranger.bytes.slice(known)) seen.push(`${ms} ${Buffer.from(frame).toString('hex')}`)
    known = stranger.bytes.length
  }
  stranger.send({ type: 'sendMessage', id: 'same id', to, text: 'hello' })
  stranger.send({ type: 'queryAwareness' })
  // From one heartbeat to the next, so that each timeline has the same phase.
  for (let ms = 0; ms <= 15_000; ms += 100) {
    if (ms > 0) world.clock.move(100)
    await turns()
    note(ms)
  }
  return seen
}

test('[V10] a sender who may not know the recipient’s presence gets the same bytes after the same time, for any outcome', async () => {
  const world = await serverWorld()
  const names = ['here', 'silent', 'away', 'blocks', 'apart', 'shy', 'hides', 'picky', 'closed'] as const
  const owners = await world.devices(...names)
  const byName = Object.fromEntries(owners.map(owner => [owner.user, owner])) as Record<(typeof names)[number], Device>
  const { silent, away, blocks, shy, hides, picky, closed } = byName
  silent.takesMessages = false
  blocks.edit('stranger', { isBlocked: true })
  shy.setAudience('nobody')
  hides.hidePresence(true)
  picky.setMessageAudience('contacts')
  closed.setMessageAudience('nobody')
  await settle(...owners)
  await world.admin('PUT', '/v1/users/apart', { restricted: true })
  const [stranger] = await world.devices('stranger')
  // The sender receives the profile of the user who hides presence.
  for (const owner of ['hides', 'blocks', 'unknown']) await stranger.fetch(owner)
  await away.close()
  const seen: string[][] = []
  for (const to of ['unknown', ...names]) seen.push(await timeline(world, stranger, to))
  const [first] = seen as [string[], ...string[][]]
  expect(first.filter(frame => frame.includes(' 71'))).toEqual([
    `1000 ${Buffer.from([113, 7, ...Buffer.from('same id'), 2]).toString('hex')}`,
  ])
  for (const other of seen) expect(other).toEqual(first)
  await settle(...owners.filter(({ isConnected }) => isConnected))
  const got = Object.entries(byName).filter(([, owner]) => owner.received('hello'))
  expect(got.map(([name]) => name).sort()).toEqual(['here', 'hides', 'shy', 'silent'])
})

test('[V10] a sender who sees a level of the recipient’s profile gets the outcome of the message', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.edit('bob', { isSubscribed: true })
  await settle(alice)
  expect(await alice.sendMessage('bob', 'hello')).toBe('delivered')
  await bob.close()
  expect(await alice.sendMessage('bob', 'hello')).toBe('undelivered')
  await bob.signIn()
  bob.hidePresence(true)
  await settle(bob)
  const hidden = alice.sendMessage('bob', 'hello')
  await turns()
  world.clock.move(1_000)
  expect(await hidden).toBe('unconfirmed')
})

test('[V10] a recipient who accepts no messages of the sender looks like one whose devices do not answer', async () => {
  const world = await serverWorld()
  const [alice, picky, silent] = await world.devices('alice', 'picky', 'silent')
  for (const owner of ['picky', 'silent']) await alice.fetch(owner)
  silent.takesMessages = false
  picky.setMessageAudience('nobody')
  await settle(picky)
  const seen: string[][] = []
  for (const to of ['picky', 'silent']) seen.push(await timeline(world, alice, to))
  expect(seen[0]).toEqual(seen[1])
  expect(picky.received('hello')).toBe(false)
  for (const owner of [picky, silent]) await owner.close()
  seen.splice(0)
  for (const to of ['picky', 'silent']) seen.push(await timeline(world, alice, to))
  expect(seen[0]).toEqual(seen[1])
})

test('[V10] a sender whom the message policy of the server excludes learns nothing of the recipient by it', async () => {
  const world = await serverWorld({ messagePolicy: 'nobody' })
  const [here, away, blocks, alice] = await world.devices('here', 'away', 'blocks', 'alice')
  blocks.edit('alice', { isBlocked: true })
  await settle(blocks)
  await away.close()
  const strange: string[][] = []
  for (const to of ['unknown', 'here', 'away', 'blocks']) strange.push(await timeline(world, alice, to))
  const unconfirmed = Buffer.from([113, 7, ...Buffer.from('same id'), 2]).toString('hex')
  expect(strange[0]?.filter(frame => frame.includes(' 71'))).toEqual([`1000 ${unconfirmed}`])
  for (const other of strange) expect(other).toEqual(strange[0])
  // A sender who may know whether the recipient is online receives the same as for a device that does not answer.
  for (const owner of ['here', 'away']) await alice.fetch(owner)
  const known: string[][] = []
  for (const to of ['here', 'away']) known.push(await timeline(world, alice, to))
  const undelivered = Buffer.from([113, 7, ...Buffer.from('same id'), 0]).toString('hex')
  const outcomes = known.map(frames => frames.filter(frame => frame.includes(' 71')))
  expect(outcomes).toEqual([[`9000 ${undelivered}`], [`0 ${undelivered}`]])
  expect(here.received('hello')).toBe(false)
})

test('the recipient’s message audience decides whose messages arrive; a user always reaches the own devices', async () => {
  const world = await serverWorld()
  const [bob, tablet, contact, granted, stranger] = await world.devices('bob', 'bob', 'contact', 'granted', 'stranger')
  bob.edit('contact', { levels: [] })
  bob.edit('granted', { levels: [3] })
  // A grant makes the user a contact.
  bob.change([{ root: 'contacts', key: 'granted', value: undefined }])
  await settle(bob)
  const expected: Record<'everyone' | 'contacts' | 'nobody', string[]> = {
    everyone: ['contact', 'granted', 'stranger'],
    contacts: ['contact', 'granted'],
    nobody: [],
  }
  for (const audience of ['contacts', 'nobody', 'everyone'] as const) {
    bob.setMessageAudience(audience)
    await settle(bob)
    const from = bob.frames.length
    for (const sender of [contact, granted, stranger]) {
      const outcome = sender.sendMessage('bob', audience)
      await turns()
      world.clock.move(1_000)
      expect(['delivered', 'undelivered', 'unconfirmed']).toContain(await settleOutcome(world, outcome))
    }
    await settle(bob)
    const senders = bob.frames.slice(from).flatMap(frame => (frame.type === 'message' ? [frame.from] : []))
    expect(senders).toEqual(expected[audience])
    expect(await tablet.sendMessage('bob', 'to myself')).toBe('delivered')
    for (const from of ['contact', 'stranger']) {
      const { body } = await world.admin('GET', `/v1/communication?from=${from}&to=bob`)
      const isAllowed = expected[audience].includes(from)
      expect(body).toEqual({ allowed: isAllowed, reason: isAllowed ? 'allowed' : 'not-granted' })
    }
  }
  expect(await world.check()).toEqual([])
})

test('an account that is registered again accepts messages of everyone', async () => {
  const world = await serverWorld()
  const [bob] = await world.devices('bob')
  bob.setMessageAudience('nobody')
  await settle(bob)
  await world.admin('DELETE', '/v1/users/bob')
  await world.admin('PUT', '/v1/users/bob')
  const [alice] = await world.devices('alice')
  await alice.close()
  const { body } = await world.admin('GET', '/v1/communication?from=alice&to=bob')
  expect(body).toEqual({ allowed: true, reason: 'allowed' })
})

/** Resolves to an outcome that may arrive after 10 seconds. */
async function settleOutcome(world: World, outcome: Promise<string>): Promise<string> {
  await turns()
  world.clock.move(10_000)
  return outcome
}
