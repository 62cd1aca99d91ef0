import { expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import * as Y from 'yjs'
import { serverWorld } from '../support/server-world.ts'
import { stockDevice } from '../support/stock-device.ts'
import { temporaryFolder } from '../support/stores.ts'

test('a stock provider syncs a roster in both directions without Kith’s client', async () => {
  const world = await serverWorld()
  const [kith] = await world.devices('alice')
  kith.edit('bob', { label: 'Bob' })
  await kith.barrier()
  const stock = await stockDevice(world, 'alice')
  stock.provider.connect()
  await stock.synced()
  expect(stock.label('bob')).toBe('Bob')
  stock.setLabel('carol', 'Carol')
  await kith.until('the label', () => kith.roster.getMap('labels').get('carol') === 'Carol')
  kith.edit('dave', { label: 'Dave' })
  await stock.until(() => stock.label('dave') === 'Dave')
})

test('a provider that reports sync has sent all that the server lacked, and a later barrier covers it', async () => {
  const world = await serverWorld()
  const stock = await stockDevice(world, 'alice')
  stock.setLabel('bob', 'made offline')
  const synced = stock.synced()
  stock.provider.connect()
  await synced
  const [kith] = await world.devices('alice')
  expect(kith.roster.getMap('labels').get('bob')).toBe('made offline')
  expect((await world.admin('GET', '/v1/users/alice')).body).toMatchObject({ registered: true })
})

test('a stock provider reconnects after a restart of the server, and sends the edits made meanwhile', async () => {
  const world = await serverWorld({ folder: await temporaryFolder() })
  const stock = await stockDevice(world, 'alice')
  stock.provider.connect()
  await stock.synced()
  stock.setLabel('bob', 'before')
  await world.restart()
  stock.setLabel('carol', 'meanwhile')
  const [kith] = await world.devices('alice')
  await kith.until('both', () => kith.roster.getMap('labels').size === 2)
  expect(kith.roster.toJSON()).toMatchObject({ labels: { bob: 'before', carol: 'meanwhile' } })
  expect(stock.closes.every(code => code < 4400 || code > 4499)).toBe(true)
})

test('an update with missing predecessors is requested again, and closes no session', async () => {
  const world = await serverWorld()
  const doc = new Y.Doc()
  doc.getMap('labels').set('bob', 'made before the connection')
  const stock = await stockDevice(world, 'alice', doc)
  // The provider sends an edit as soon as the socket is open, before the server's sync step 1 arrives.
  stock.provider.on('status', ({ status }) => {
    if (status === 'connected') stock.setLabel('carol', 'sent first')
  })
  stock.provider.connect()
  await stock.synced()
  const [kith] = await world.devices('alice')
  await kith.until('both', () => kith.roster.getMap('labels').size === 2)
  expect(kith.roster.toJSON()).toMatchObject({
    labels: { bob: 'made before the connection', carol: 'sent first' },
  })
  expect(stock.closes).toEqual([])
})

test('a stock provider never gets a message of Kith, whatever happens to its user', async () => {
  const world = await serverWorld()
  const stock = await stockDevice(world, 'bob')
  const types = new Set<number>()
  stock.provider.connect()
  await stock.synced()
  const socket = stock.provider.ws as unknown as WebSocket
  socket.on('message', data => types.add(new Uint8Array(data as ArrayBuffer)[0] as number))
  stock.doc.getMap('subscriptions').set('alice', true)
  const [alice, laptop] = await world.devices('alice', 'bob')
  alice.edit('bob', { levels: [1] })
  alice.setField('name', 'Ada')
  laptop.setField('name', 'Bob')
  await alice.barrier()
  await laptop.barrier()
  await alice.fetch('bob')
  await alice.sendMessage('bob', 'hello')
  laptop.edit('alice', { label: 'Alice' })
  await stock.until(() => stock.label('alice') === 'Alice')
  expect([...types]).toEqual([0])
})
