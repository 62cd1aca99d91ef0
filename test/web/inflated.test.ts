import { deflateRawSync } from 'node:zlib'
import { encodeFrame } from '@kith/shared/wire'
import { expect, test, vi } from 'vitest'
import { inflating } from '../../examples/web/src/trace/inflated.ts'
import type { Happening } from '../../examples/web/src/trace/recording-socket.ts'

test('a compressed update is told with what it says, and everything in its order', async () => {
  const update = new Uint8Array(5_000).fill(7)
  const payload = deflateRawSync(update)
  const sent = (bytes: Uint8Array): Happening => ({ type: 'frame', atMs: 1, direction: 'sent', bytes })
  const compressed = sent(encodeFrame({ type: 'deflatedRoster', size: 5_000, step: 'update', payload }))
  const broken = sent(encodeFrame({ type: 'deflatedRoster', size: 9, step: 'update', payload: Uint8Array.of(0xff) }))
  const plain = sent(encodeFrame({ type: 'barrier', id: 1, withFeed: false }))
  const told: Happening[] = []
  const tell = inflating(happening => told.push(happening))
  for (const happening of [plain, compressed, plain, broken, plain]) tell(happening)
  expect(told).toEqual([plain])
  await vi.waitFor(() => expect(told).toHaveLength(5))
  expect(told).toEqual([plain, { ...compressed, update }, plain, { ...broken, update: undefined }, plain])
  tell(plain)
  await vi.waitFor(() => expect(told).toHaveLength(6))
})
