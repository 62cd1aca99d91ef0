import { expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import { serverWorld } from '../support/server-world.ts'
import { stockDevice } from '../support/stock-device.ts'

// The provider's own clock decides here, so this test waits in real time: for four of the server's heartbeats.
test('a stock provider that is idle for 65 seconds is still on its first connection', {
  timeout: 120_000,
}, async () => {
  const world = await serverWorld({ realClock: true })
  const stock = await stockDevice(world, 'alice')
  stock.provider.connect()
  await stock.synced()
  const startMs = performance.now()
  const socket = stock.provider.ws as unknown as WebSocket
  await new Promise<void>(resolve => {
    socket.on('message', () => performance.now() - startMs > 65_000 && resolve())
    socket.on('close', () => resolve())
  })
  expect(stock.closes).toEqual([])
  expect(stock.provider.wsconnected).toBe(true)
  expect(performance.now() - startMs).toBeGreaterThan(65_000)
  stock.setLabel('bob', 'still here')
  const [kith] = await world.devices('alice')
  await kith.until('the label', () => kith.roster.getMap('labels').get('bob') === 'still here')
})
