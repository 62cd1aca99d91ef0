import { KithError } from '@kith/shared'
import { encodeFrame, type ServerMessage } from '@kith/shared/wire'
import { expect, test } from 'vitest'
import { Receiver } from '../support/client-internals.ts'

const level: ServerMessage = {
  ...{ type: 'profile', owner: 'bob', level: 0, fields: { name: 'x'.repeat(9_000) } },
  cursor: new Uint8Array(),
}
const levelBytes = encodeFrame(level).length

/** A receiver with room for a hundred such frames. A test releases its disk. */
function receiver() {
  const stored: number[] = []
  let goOn: () => void = () => undefined
  const one = new Receiver(
    {
      store: async frames => {
        stored.push(frames.length)
        await new Promise<void>(resolve => {
          goOn = resolve
        })
      },
      handle: async () => undefined,
    },
    100 * (levelBytes + 1_024),
  )
  return { one, stored, goOn: () => goOn() }
}

test('[S1] a device holds a bounded number of bytes that wait to be stored: beyond it the session ends and is retried', async () => {
  const { one, stored } = receiver()
  void one.push(level, levelBytes)
  // The first frame is being stored, and no longer waits.
  for (let count = 0; count < 100; count++) await one.push(level, levelBytes)
  const failure = await one.push(level, levelBytes).catch((error: unknown) => error)
  expect(failure instanceof KithError && failure.code).toBe('unavailable')
  expect(stored).toEqual([1])
})

test('[F1] a device takes any number of bytes, as long as it stores what arrives', async () => {
  const { one, stored, goOn } = receiver()
  const all = one.push(level, levelBytes)
  for (let round = 0; round < 10; round++) {
    for (let count = 0; count < 90; count++) await one.push(level, levelBytes)
    goOn()
    await new Promise(resolve => setImmediate(resolve))
  }
  goOn()
  await all
  expect(stored.reduce((sum, count) => sum + count, 0)).toBe(901)
})
