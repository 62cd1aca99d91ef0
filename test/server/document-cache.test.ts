import { expect, test } from 'vitest'
import type { Device } from '../support/raw-device.ts'
import { serverWorld, settle } from '../support/server-world.ts'

test('[D2] a sweep of the documents in memory during a commit takes nothing from it: what another device then writes goes with it', async () => {
  const world = await serverWorld()
  const [phone, laptop, tablet] = await world.devices('alice', 'alice', 'alice')
  phone.edit('bob', { label: 'before' })
  await settle(phone, laptop, tablet)
  const held = world.disk.hold()
  phone.edit('bob', { label: 'Bob', levels: [1] })
  await held
  // Two heartbeats, each with a sweep: what nobody used for 30 seconds goes.
  world.clock.move(30_000)
  laptop.edit('carol', { label: 'Carol' })
  phone.edit('bob', { levels: [1, 2] })
  await Promise.all([heard(laptop), heard(phone)])
  world.disk.release()
  await settle(phone, laptop, tablet)
  const again = world.device('alice')
  await again.signIn()
  for (const device of [phone, laptop, tablet, again]) {
    expect(device.roster.getMap('labels').toJSON()).toEqual({ bob: 'Bob', carol: 'Carol' })
    expect(Object.keys(device.roster.getMap('grants').toJSON()).sort()).toEqual(['1/bob', '2/bob'])
  }
  expect(await world.check()).toEqual([])
})

test('[D2] after a sweep a document is read from the disk again, and goes on from there', async () => {
  const world = await serverWorld()
  const [phone, laptop] = await world.devices('alice', 'alice')
  for (let round = 0; round < 3; round++) {
    phone.edit('bob', { label: `Bob ${round}` })
    await settle(phone, laptop)
    const beats = [phone.next('awareness'), laptop.next('awareness')]
    world.clock.move(30_000)
    await Promise.all(beats)
    laptop.edit(`friend-${round}`, { levels: [round] })
    await settle(phone, laptop)
  }
  for (const { roster } of [phone, laptop]) {
    expect(roster.getMap('labels').toJSON()).toEqual({ bob: 'Bob 2' })
    expect(Object.keys(roster.getMap('grants').toJSON()).sort()).toEqual(['0/friend-0', '1/friend-1', '2/friend-2'])
  }
  expect(await world.check()).toEqual([])
})

/** The server has taken in what this device sent. */
async function heard({ socket }: Device): Promise<void> {
  const ponged = new Promise(resolve => socket.once('pong', resolve))
  socket.ping()
  await ponged
}
