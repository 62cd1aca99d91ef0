import { createServer } from '@kith/server'
import { expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { loggerInto, serverWorld, settle, type World } from '../support/server-world.ts'
import { temporaryFolder } from '../support/stores.ts'
import { startReceiver, until, webhookSecret } from '../support/webhook-receiver.ts'

/** Begins to erase Alice's account. Resolves when the revocation is on disk and the erasure waits for the disk. */
async function holdErasure(world: World): Promise<{ erased: ReturnType<World['admin']> }> {
  const held = world.disk.hold()
  const erased = world.admin('DELETE', '/v1/users/alice')
  await held
  world.disk.release()
  await world.disk.hold()
  world.clock.leap(5)
  return { erased }
}

test('[D7] a session that begins while its account is being erased is closed with 4401, and gets nothing of the next holder', async () => {
  const world = await serverWorld()
  await world.devices('alice')
  const { erased } = await holdErasure(world)
  const old = world.device('alice')
  await old.dial()
  old.send({ type: 'hello', version: 1, cursor: new Uint8Array() })
  world.disk.release()
  expect((await erased).status).toBe(204)
  await expect(old.barrier({ withFeed: false })).rejects.toThrow('closed with 4401')
  world.clock.leap(5)
  const [next] = await world.devices('alice')
  next.edit('carol', { label: 'a label of the next holder' })
  await settle(next)
  expect(old.received('a label of the next holder')).toBe(false)
})

test.each(['stays', 'disconnects'] as const)(
  '[D7] writes that arrive while the account is being erased do not begin the next account, when their device %s',
  async how => {
    const world = await serverWorld()
    await world.devices('alice')
    const { erased } = await holdErasure(world)
    const old = world.device('alice')
    await old.dial()
    old.edit('bob', { label: 'a label of the former holder' })
    old.send({ type: 'rosterSync', step: 'step2', payload: Y.encodeStateAsUpdate(old.roster) })
    old.send({ type: 'queryAwareness' })
    await old.next('awareness')
    if (how === 'disconnects') await old.close()
    world.disk.release()
    expect((await erased).status).toBe(204)
    world.clock.leap(5)
    expect((await world.admin('GET', '/v1/users/alice')).status).toBe(404)
    const [next] = await world.devices('alice')
    expect(next.received('a label of the former holder')).toBe(false)
    expect(next.roster.getMap('labels').size).toBe(0)
  },
)

test('[D7] of two DELETEs at the same time one erases, and a next holder who registers meanwhile stays', async () => {
  const world = await serverWorld()
  await world.admin('PUT', '/v1/users/alice', {})
  const held = world.disk.hold()
  const erasures = [1, 2].map(() => world.admin('DELETE', '/v1/users/alice'))
  await held
  // Both have found the account by the time that a later request is answered.
  await world.admin('GET', '/v1/users/alice')
  world.disk.release()
  await world.disk.hold()
  const registered = world.admin('PUT', '/v1/users/alice', {})
  await world.admin('GET', '/v1/users/alice')
  world.disk.release()
  const statuses = (await Promise.all([...erasures, registered])).map(({ status }) => status)
  expect(statuses).toEqual([204, 404, 201])
  expect((await world.admin('GET', '/v1/users/alice')).status).toBe(200)
})

test('[D7] an export while the account is being erased contains all of the account, or is answered with 404', async () => {
  const world = await serverWorld()
  const [alice] = await world.devices('alice')
  alice.setField('name', 'the erased name')
  alice.edit('bob', { label: 'a label' })
  await settle(alice)
  const { erased } = await holdErasure(world)
  const exported = world.admin('GET', '/v1/users/alice/export')
  await world.admin('GET', '/v1/users/alice')
  world.disk.release()
  expect((await erased).status).toBe(204)
  expect((await exported).status).toBe(404)
})

test('[D4] two DELETEs at the same time send one user.erased', async () => {
  const receiver = await startReceiver()
  receiver.answer = () => 503
  const webhook = { url: receiver.url, secrets: [webhookSecret] }
  const kith = await createServer({ folder: await temporaryFolder(), log: loggerInto([]), webhook })
  onTestFinished(() => kith.close())
  const url = await kith.listen({ port: 0 })
  const admin = async (method: string, id: string): Promise<number> =>
    (await fetch(`${url}/v1/users/${id}`, { method, headers: { authorization: `Bearer ${kith.adminKey}` } })).status
  await admin('PUT', 'bob')
  expect((await Promise.all([admin('DELETE', 'bob'), admin('DELETE', 'bob')])).sort()).toEqual([204, 404])
  receiver.answer = () => 204
  await until(() => receiver.taken.length > 0, 'an event', 15_000)
  expect(receiver.taken.map(({ type, data }) => [type, data['user']])).toEqual([['user.erased', 'bob']])
})
