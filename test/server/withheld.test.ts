import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Device } from '../support/raw-device.ts'
import { addBackup, restore } from '../support/server-internals.ts'
import { serverWorld, settle, type World } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'

interface Restored {
  world: World
  /** Ada's device from before the backup. */
  ada: Device
  /** A viewer to whom Ada shows level 2. */
  bob: Device
}

/** Connects a device that existed before the restore. It says hello first, as Kith's client does. */
async function signInAgain(world: World, before: Device): Promise<Device> {
  const device = world.device(before.user)
  Object.assign(device, { incarnation: before.incarnation })
  for (const name of ['roster', 'profile'] as const) Y.applyUpdate(device[name], Y.encodeStateAsUpdate(before[name]))
  await device.dial()
  await device.hello()
  device.send({ type: 'rosterSync', step: 'step1', payload: Y.encodeStateVector(device.roster) })
  await device.barrier()
  return device
}

/**
 * Ada grants level 2 to Bob, and a backup is made. `since` runs on the store that is lost afterwards. The world is of a store
 * that was restored from the backup, with Bob's device connected.
 */
async function restoredWorld(since: (world: World) => Promise<unknown> = async () => undefined): Promise<Restored> {
  const folder = await temporaryFolder()
  const lost = await serverWorld({ folder, endsWithTest: false })
  const [ada, before] = await lost.devices('ada', 'bob')
  ada.setField('phone', 'the phone of Ada', 2)
  ada.edit('bob', { levels: [2], label: 'a label of Ada' })
  before.edit('ada', { isSubscribed: true })
  before.edit('newcomer', { isSubscribed: true })
  await settle(ada, before)
  await ada.close()
  await before.close()
  await lost.end()
  const backup = await addBackup(folder, await temporaryFolder(), { nowMs: 1 })
  const continued = await serverWorld({ folder, endsWithTest: false })
  continued.clock.leap(60_000)
  await since(continued)
  await continued.end()
  const restored = join(await temporaryFolder(), 'data')
  await restore(backup, restored, { nowMs: lost.clock.now() + 200_000, isTrusted: false })
  const world = await serverWorld({ folder: restored })
  world.clock.leap(300_000)
  return { world, ada, bob: await signInAgain(world, before) }
}

/** The account is erased, and another person registers the id. Both are missing in the backup. */
async function changeHands(world: World): Promise<Device> {
  expect((await world.admin('DELETE', '/v1/users/ada')).status).toBe(204)
  world.clock.leap(60_000)
  const [next] = await world.devices('ada')
  next.setField('name', 'the next holder')
  await settle(next)
  await next.close()
  return next
}

test('[V1][F3] after a restore, an account is shown again when one of its devices has synced', async () => {
  const { world, ada, bob } = await restoredWorld()
  expect(bob.sees('ada')).toEqual({})
  await signInAgain(world, ada)
  await settle(bob)
  expect(bob.sees('ada')).toEqual({ phone: 'the phone of Ada' })
  const [fresh] = await world.devices('ada')
  expect(fresh.received('a label of Ada')).toBe(true)
})

test('[F3] after a restore, a user who registers for the first time is announced, and a user who returns is not', async () => {
  const { world, ada, bob } = await restoredWorld()
  const joined = (): string[] => bob.all('access').flatMap(({ owner, hasJustJoined }) => (hasJustJoined ? [owner] : []))
  await signInAgain(world, ada)
  const [newcomer] = await world.devices('newcomer')
  await settle(newcomer, bob)
  expect(joined()).toEqual(['newcomer'])
})

test('[V1] after a restore, the backend reads that an account is withheld, and shows it again', async () => {
  const { world, bob } = await restoredWorld()
  expect(await world.admin('GET', '/v1/users/ada')).toMatchObject({
    status: 200,
    body: { registered: false, withheld: true },
  })
  expect((await world.admin('PUT', '/v1/users/ada', {})).body).not.toHaveProperty('withheld')
  const [fresh] = await world.devices('ada')
  await settle(fresh, bob)
  expect(fresh.received('a label of Ada')).toBe(true)
  expect(bob.sees('ada')).toEqual({ phone: 'the phone of Ada' })
})

test('[V6][D7] after a restore, DELETE erases a withheld account, which no viewer sees meanwhile', async () => {
  const { world, ada, bob } = await restoredWorld()
  expect((await world.admin('DELETE', '/v1/users/ada')).status).toBe(204)
  expect((await world.admin('DELETE', '/v1/users/ada')).status).toBe(404)
  await settle(bob)
  expect(bob.frames.some(frame => frame.type === 'profile' && frame.owner === 'ada')).toBe(false)
  world.clock.leap(5)
  const former = world.device('ada')
  Object.assign(former, { incarnation: ada.incarnation })
  await former.dial()
  former.send({ type: 'hello', version: 1, cursor: new Uint8Array(), incarnation: ada.incarnation })
  expect(await former.closed()).toMatchObject({ code: 4403 })
  const [next] = await world.devices('ada')
  expect(next.received('a label of Ada')).toBe(false)
})

test('[D7] after a restore, one DELETE makes the device of the next holder the present one', async () => {
  let next: Device | undefined
  const { world } = await restoredWorld(async since => {
    next = await changeHands(since)
  })
  expect((await world.admin('DELETE', '/v1/users/ada')).status).toBe(204)
  world.clock.leap(5)
  const device = await signInAgain(world, next as Device)
  expect(device.received('a label of Ada')).toBe(false)
  expect((await world.admin('GET', '/v1/users/ada/profile')).body).toEqual({
    levels: { 0: { name: 'the next holder' } },
  })
})
