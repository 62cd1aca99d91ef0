import { expect, test } from 'vitest'
import { Gates } from '../simulation/new-enemy/gates.ts'
import type { Device } from '../support/raw-device.ts'
import { ReadLog } from '../support/read-log.ts'
import { keys } from '../support/server-internals.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'

/** Bob fetches Alice, who blocks him. Carol blocks him as well, but he never fetches her. */
async function blocked(): Promise<{ world: World; alice: Device; bob: Device; carol: Device }> {
  const world = await serverWorld()
  const [alice, bob, carol] = await world.devices('alice', 'bob', 'carol')
  for (const owner of [alice, carol]) {
    owner.edit('bob', { isBlocked: true })
    owner.setField('name', owner.user)
    await settle(owner)
  }
  for (const owner of ['alice', 'nobody at all']) await bob.fetch(owner)
  bob.send({ type: 'watch', owners: ['alice'] })
  await settle(bob)
  return { world, alice, bob, carol }
}

interface Question {
  what: string
  ask(bob: Device): void
}

const questions: readonly Question[] = [
  { what: 'fetch', ask: bob => bob.send({ type: 'fetch', owner: 'alice' }) },
  {
    what: 'watch',
    ask(bob) {
      bob.send({ type: 'watch', owners: [] })
      bob.send({ type: 'watch', owners: ['alice'] })
    },
  },
  { what: 'send', ask: bob => bob.send({ type: 'sendMessage', id: 'm', to: 'alice', text: 'hello' }) },
  { what: 'follow', ask: bob => bob.edit('alice', { isSubscribed: !bob.roster.getMap('subscriptions').has('alice') }) },
]

/** Resolves when everything under way has progressed as far as it can. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Returns the types and sizes of the frames that the device received. */
function shapes(device: Device, from: number): string[] {
  return device.frames.slice(from).map((frame, index) => `${frame.type} ${device.bytes[from + index]?.length}`)
}

for (const { what, ask } of questions) {
  test(`[V10] a ${what} of a blocked viewer waits, reads and returns the same whichever user is being written`, async () => {
    const { world, alice, bob, carol } = await blocked()
    const log = new ReadLog(world.disk.database)
    const seen: unknown[] = []
    for (const actor of [alice, carol]) {
      const from = bob.frames.length
      const isWriting = world.disk.hold()
      actor.setField('mood', `of ${actor.user}`)
      await isWriting
      log.take('bob')
      ask(bob)
      await turns()
      const meanwhile = [log.take('bob'), shapes(bob, from)]
      world.disk.release()
      await settle(actor, bob)
      world.clock.move(1_000)
      await settle(bob)
      seen.push([meanwhile, log.take('bob').length, shapes(bob, from)])
      if (what === 'follow') {
        ask(bob)
        await settle(bob)
      }
    }
    expect(seen[0]).toEqual(seen[1])
  })
}

test('[V10] the number of reads of a fetch does not depend on commits of other users', async () => {
  const { world, alice, bob, carol } = await blocked()
  const counts: number[] = []
  for (const actor of [alice, carol]) {
    const gates = new Gates(world.disk.database)
    let reads = 0
    const isView = (wanted: readonly string[]): boolean => {
      const is = wanted.includes(keys.relation('bob', 'alice')) && !wanted.includes(keys.relation('alice', 'bob'))
      if (is) reads++
      // The handler itself makes the first read, before the feed reads.
      return is && reads === 2
    }
    const read = gates.stop('getMany', 'after', isView)
    const answer = bob.fetch('alice')
    await read.arrived
    actor.setField('mood', `of ${actor.user}`)
    await settle(actor)
    read.release()
    await answer
    const log = gates.stop('getMany', 'after', wanted => isView(wanted) && false)
    await settle(bob)
    log.release()
    counts.push(reads)
  }
  expect(counts[0]).toBe(counts[1])
})

test('[V10] the server reads nothing for a blocked viewer when the owner changes the audience, hides, or edits', async () => {
  const { world, alice, bob } = await blocked()
  const [dora] = await world.devices('dora')
  await dora.fetch('alice')
  await settle(dora)
  const log = new ReadLog(world.disk.database)
  const from = bob.frames.length
  for (const act of [
    () => alice.setAudience('nobody'),
    () => alice.setAudience('everyone'),
    () => alice.hidePresence(true),
    () => alice.hidePresence(false),
    () => alice.setMessageAudience('contacts'),
    () => alice.setField('mood', 'well'),
  ]) {
    act()
    await settle(alice)
    await turns()
  }
  const reads = log.take('alice')
  const lookedAt = (viewer: string): string[] =>
    reads.filter(keys => keys.includes(`relation|${viewer}|alice`) && !keys.includes(`relation|alice|${viewer}`))
  expect(lookedAt('bob')).toEqual([])
  // The view of a stranger who sees her is read again.
  expect(lookedAt('dora').length).toBeGreaterThan(0)
  expect(shapes(bob, from)).toEqual([])
})

test('[V10][F1] a viewer who fetched and follows a stranger gets every change of the audience', async () => {
  const world = await serverWorld()
  const [alice, bob, carol] = await world.devices('alice', 'bob', 'carol')
  alice.setField('name', 'Ada')
  // Bob has a relation to Alice, Carol has none.
  alice.edit('bob', { label: 'Bob', levels: [] })
  await settle(alice)
  for (const viewer of [bob, carol]) await viewer.fetch('alice')
  for (const [audience, expected] of [
    ['contacts', [true, false]],
    ['nobody', [false, false]],
    ['everyone', [true, true]],
  ] as const) {
    alice.setAudience(audience)
    await settle(alice)
    await settle(bob, carol)
    expect([bob, carol].map(viewer => viewer.access.get('alice')?.levels.length === 1)).toEqual(expected)
  }
  // The relation is removed without a change of what Bob sees. Bob is a stranger from then on.
  alice.edit('bob', { levels: null })
  await settle(alice)
  alice.setAudience('contacts')
  await settle(alice)
  await settle(bob)
  expect(bob.access.get('alice')?.levels).toEqual([])
})

test('[V10] commits of an invisible owner leave no gap in the cursors of users in the same batch', async () => {
  const { world, alice, bob, carol } = await blocked()
  const [dora] = await world.devices('dora')
  bob.edit('dora', { isSubscribed: true })
  await settle(bob)
  const shapesOf: string[][] = []
  for (const actor of [alice, carol]) {
    const from = bob.frames.length
    const isWriting = world.disk.hold()
    carol.edit('zoe', { label: `noted with ${actor.user}` })
    await isWriting
    dora.setField('mood', 'well')
    await turns()
    actor.setField('mood', `of ${actor.user}`)
    await turns()
    world.disk.release()
    await settle(dora, actor, carol)
    await settle(bob)
    shapesOf.push(shapes(bob, from))
    expect(bob.frames.slice(from).filter(({ type }) => type === 'profile')).toMatchObject([
      { owner: 'dora', cursor: { length: 44 } },
    ])
    dora.setField('mood', 'other')
    await settle(dora, bob)
  }
  expect(shapesOf[0]).toEqual(shapesOf[1])
})

test('[V10][F1] a device gets its cursor once an hour, whether or not anything was committed', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  const told: number[] = []
  for (const isActive of [false, true, false]) {
    if (isActive) {
      alice.setField('name', 'Ada')
      await settle(alice)
    }
    for (let beat = 0; beat < 240; beat++) {
      world.clock.move(15_000)
      await Promise.all([alice, bob].map(device => device.barrier({ withFeed: false })))
    }
    told.push(bob.all('caughtUp').length)
  }
  expect(told).toEqual([2, 3, 4])
})

test('[V10] a follow sends no frame to the followed user, reads nothing for them, and does not show on their return', async () => {
  const world = await serverWorld()
  const [alice, bob] = await world.devices('alice', 'bob')
  alice.setField('name', 'Ada')
  await settle(alice, bob)
  const log = new ReadLog(world.disk.database)
  const from = alice.frames.length
  for (const isSubscribed of [true, false, true]) {
    bob.edit('alice', { isSubscribed })
    await settle(bob)
  }
  await turns()
  expect(
    log.take('alice').filter(keys => keys.includes('relation|alice|bob') && !keys.includes('relation|bob')),
  ).toEqual([])
  expect(shapes(alice, from)).toEqual([])
  alice.setField('mood', 'well')
  await settle(alice)
  expect(new Set(shapes(alice, from).map(shape => shape.split(' ')[0]))).toEqual(new Set(['reached']))
  const cursor = alice.cursor
  await alice.close()
  await alice.connect()
  const back = alice.frames.length
  await alice.hello(cursor)
  const types = alice.frames.slice(back).map(({ type }) => type)
  expect(types.filter(type => !['welcome', 'ownProfile', 'rosterSync'].includes(type))).toEqual(['caughtUp'])
})

test('[V10][F1] a return reads the same amount for any number of commits of others, and brings what changed', async () => {
  const { world, alice, bob, carol } = await blocked()
  const [dora] = await world.devices('dora')
  bob.edit('dora', { isSubscribed: true })
  dora.setField('name', 'Dora')
  await settle(dora)
  await settle(bob)
  const log = new ReadLog(world.disk.database)
  const iterator = world.disk.database.iterator
  const ranges: string[] = []
  Object.assign(world.disk.database, {
    iterator: (range: { gt: string }) => {
      ranges.push(range.gt)
      return iterator.call(world.disk.database, range)
    },
  })
  const seen: unknown[] = []
  for (const commits of [0, 1, 30]) {
    const { cursor } = bob
    await bob.close()
    for (let commit = 0; commit < commits; commit++) {
      const actor = commit % 2 === 0 ? alice : carol
      actor.setField('mood', `number ${commit} of ${commits}`)
      await settle(actor)
    }
    await bob.connect()
    log.take('bob')
    ranges.splice(0)
    await bob.hello(cursor)
    await turns()
    seen.push([log.take('bob'), ranges.filter(from => !from.startsWith('document'))])
  }
  expect(seen[1]).toEqual(seen[0])
  expect(seen[2]).toEqual(seen[0])
  await bob.close()
  dora.setField('name', 'Theodora')
  await settle(dora)
  await bob.signIn()
  expect(bob.sees('dora')).toEqual({ name: 'Theodora' })
})
