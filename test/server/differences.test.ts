import type { Fields } from '@kith/shared'
import { encodeFields, fieldsDigest, wireVersion } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { CommittedLevels, differenceOf, editOf, savesHalf } from '../support/server-internals.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'

/** Many fields of level 1, about 4 KB. */
const many: Fields = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`field ${n}`, `${n} `.repeat(30)]))

interface Town {
  world: World
  alice: Device
  /** Bob's device, which accepts differences. */
  bob: Device
  /** Another device of Bob, with an older release. */
  tablet: Device
}

/** Alice has many fields at level 1, and grants this level to Bob, who follows her on two devices. */
async function town(wireOfTablet = 1, options: Parameters<typeof serverWorld>[0] = {}): Promise<Town> {
  const world = await serverWorld(options)
  const [alice] = await world.devices('alice')
  const [bob, tablet] = [world.device('bob'), world.device('bob')]
  bob.wire = wireVersion
  tablet.wire = wireOfTablet
  for (const device of [bob, tablet]) await device.signIn()
  alice.setField('name', 'Ada')
  for (const [name, value] of Object.entries(many)) alice.setField(name, value, 1)
  alice.edit('bob', { levels: [1] })
  bob.edit('alice', { isSubscribed: true })
  await settle(alice, bob, tablet)
  await settle(bob, tablet)
  expect(bob.sees('alice')).toEqual({ name: 'Ada', ...many })
  return { world, alice, bob, tablet }
}

/** Returns the types of the frames with content of Alice's level 1 that a device received since a given frame. */
function formsSince(device: Device, from: number): string[] {
  return device.frames
    .slice(from)
    .filter(frame => (frame.type === 'profile' || frame.type === 'difference') && frame.level === 1)
    .map(({ type }) => type)
}

/** Returns the form in which the next change of one field of level 1 arrives. */
async function formOfEdit({ alice, bob }: Town, value: string): Promise<string[]> {
  const from = bob.frames.length
  alice.setField('field 7', value, 1)
  await settle(alice, bob)
  expect(bob.sees('alice')['field 7']).toBe(value)
  return formsSince(bob, from)
}

test('[F1] when one of many fields changes, a connected follower gets that field alone', async () => {
  const { alice, bob } = await town()
  const from = bob.bytes.length
  const change = bob.next('difference')
  alice.setField('field 7', 'seven', 1)
  const { fields, removed, digest, cursor } = await change
  const now = { ...many, 'field 7': 'seven' }
  expect([fields, removed, cursor.length]).toEqual([{ 'field 7': 'seven' }, [], 44])
  expect(Buffer.from(digest)).toEqual(Buffer.from(fieldsDigest(now)))
  expect(bob.sees('alice')).toEqual({ name: 'Ada', ...now })
  expect(bob.bytes.slice(from).map(({ length }) => length)).toEqual([88])
})

test('[F1][V5] a field that is unset is named, without its value', async () => {
  const { alice, bob } = await town()
  const from = bob.bytes.length
  alice.setField('field 7', undefined, 1)
  alice.setField('field 8', 'eight', 1)
  await settle(alice, bob)
  const { 'field 7': erased, ...rest } = many
  expect(bob.sees('alice')).toEqual({ name: 'Ada', ...rest, 'field 8': 'eight' })
  expect(formsSince(bob, from).every(type => type === 'difference')).toBe(true)
  expect(bob.bytes.slice(from).some(bytes => Buffer.from(bytes).includes(String(erased)))).toBe(false)
})

test.each([1, 5])('[F1] a device of wire %d gets the whole level', async wire => {
  const { alice, bob, tablet } = await town(wire)
  const from = tablet.frames.length
  alice.setField('field 7', 'seven', 1)
  await settle(alice, bob, tablet)
  expect(formsSince(tablet, from)).toEqual(['profile'])
  expect(tablet.sees('alice')).toEqual(bob.sees('alice'))
})

test('[F1] a small level, and one that changes by more than half, go out whole', async () => {
  const { alice, bob } = await town()
  const from = bob.frames.length
  alice.setField('name', 'Augusta')
  await settle(alice, bob)
  alice.profile.transact(() => {
    for (let n = 0; n < 24; n++) alice.setField(`field ${n}`, `now ${n} `.repeat(20), 1)
  })
  await settle(alice, bob)
  expect(bob.frames.slice(from).flatMap(frame => (frame.type === 'difference' ? [frame.level] : []))).not.toContain(0)
  expect(formsSince(bob, from)).toEqual(['profile'])
})

/** Events that affect Bob's device, or what it may see, before Alice's next change. */
const unsafe: [what: string, (town: Town) => Promise<void>][] = [
  [
    'was away, and returns with a cursor',
    async ({ alice, bob }) => {
      await bob.close()
      alice.setField('field 7', 'missed', 1)
      await settle(alice)
      await bob.signIn()
    },
  ],
  [
    'was withdrawn the level, and is granted it again',
    async ({ alice, bob }) => {
      alice.edit('bob', { levels: [] })
      await settle(alice, bob)
      alice.setField('field 7', 'missed', 1)
      alice.edit('bob', { levels: [1] })
      await settle(alice, bob)
    },
  ],
  [
    'fetches the owner',
    async ({ bob }) => {
      await bob.fetch('alice')
      await settle(bob)
    },
  ],
  [
    'returns to a server that was restarted',
    async ({ world, alice, bob, tablet }) => {
      await Promise.all([alice, bob, tablet].map(device => device.close()))
      await world.restart()
      await alice.signIn()
      alice.setField('field 7', 'missed', 1)
      await settle(alice)
      await bob.signIn()
    },
  ],
]

test.each(unsafe)('[F1] a device that %s gets the whole level, and differences from then on', async (_, happen) => {
  const all = await town(1, { folder: await temporaryFolder() })
  const from = all.bob.frames.length
  await happen(all)
  expect(formsSince(all.bob, from)).toEqual(['profile'])
  expect(all.bob.sees('alice')['field 7']).toBe(all.alice.profile.getMap('fields').get(keyOf(all.alice, 'field 7')))
  expect(await formOfEdit(all, 'seven')).toEqual(['difference'])
})

/** The key of a field of level 1 in a device's own document. */
function keyOf(device: Device, field: string): string {
  return [...device.profile.getMap('fields').keys()].find(key => key.endsWith(`/${field}`)) as string
}

test('[F1] a device that returns without changes, and one that was handed the level, hold what a difference builds on', async () => {
  const all = await town()
  await all.bob.close()
  await all.bob.signIn()
  expect(await formOfEdit(all, 'seven')).toEqual(['difference'])
  expect(await formOfEdit(all, 'eight')).toEqual(['difference'])
})

test('[F1] of an account that was erased and has begun again, the first level goes out whole', async () => {
  const all = await town()
  const { world, bob } = all
  await world.admin('DELETE', '/v1/users/alice')
  const [again] = await world.devices('alice')
  for (const [name, value] of Object.entries(many)) again.setField(name, value)
  await settle(again, bob)
  bob.confirm('alice')
  await settle(again, bob)
  const from = bob.frames.length
  again.setField('field 7', 'seven')
  await settle(again, bob)
  expect(bob.frames.slice(from).filter(({ type }) => type === 'difference')).toHaveLength(1)
  expect(bob.sees('alice')).toEqual({ ...many, 'field 7': 'seven' })
})

/** Commits of one batch. Each changes the level to these fields. */
function batchOf(...states: (Fields | undefined)[]): CommittedLevels {
  const levels = new CommittedLevels()
  for (let index = 1; index < states.length; index++) {
    const [before, after] = [states[index - 1], encodeFields(states[index] ?? {})]
    const edits = before ? [editOf(1, encodeFields(before), after)] : []
    levels.add({ levels: new Map([[1, after]]), edits })
  }
  return levels
}

function named(levels: CommittedLevels): unknown {
  const difference = differenceOf(levels, 1, () => true)
  return (
    difference && { removed: difference.removed, fields: difference.fields.length, digest: difference.digest.length }
  )
}

const name = (text: string): Fields => ({ name: text })

test('[V5] of several commits in one batch, a field that came and went is not named', () => {
  const came = { ...name('Ada'), email: 'ada@example.org' }
  expect(named(batchOf(name('Ada'), came, name('Ada')))).toEqual({ removed: [], fields: 0, digest: 16 })
  expect(named(batchOf(came, name('Ada'), came))).toEqual({ removed: [], fields: 1, digest: 16 })
  expect(named(batchOf(came, { ...came, email: 'a' }, name('Ada')))).toEqual({
    removed: ['email'],
    fields: 0,
    digest: 16,
  })
  expect(named(batchOf(came, name('Ada'), name('Eve')))).toEqual({ removed: ['email'], fields: 1, digest: 16 })
  const twice = batchOf(came, name('Ada'), came, name('Ada'))
  expect(named(twice)).toEqual({ removed: ['email'], fields: 0, digest: 16 })
})

test('[F1] a level that begins in a batch goes out whole, whatever else the batch changes of it', () => {
  expect(named(batchOf(undefined, name('Ada'), name('Eve')))).toBe(undefined)
  expect(named(batchOf(name('Ada'), name('Eve'), undefined, name('Ida'), name('Una')))).toBe(undefined)
})

test('a difference goes out where it saves half of a level that takes more than a packet', () => {
  expect([savesHalf(512, 1024), savesHalf(513, 1024), savesHalf(10, 1023)]).toEqual([true, false, false])
})

test('[V9] a device that sends a difference is closed with 4403', async () => {
  const { bob } = await town()
  const digest = new Uint8Array(16)
  const message = { type: 'difference' as const, owner: 'alice', level: 1, fields: {}, removed: ['field 7'], digest }
  bob.send({ ...message, cursor: digest } as never)
  expect((await bob.closed()).code).toBe(4403)
})
