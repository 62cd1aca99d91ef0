import * as http from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { serverWorld } from '../support/server-world.ts'

const load = createRequire(fileURLToPath(import.meta.resolve('@kith/server')))
/** The same module that `ws` loads; absent if it has no binary for this machine. */
const native = await Promise.resolve()
  .then(() => load('bufferutil') as { unmask(bytes: Uint8Array, mask: Uint8Array): void })
  .catch(() => undefined)

test.skipIf(!native || 'websocketUnmask' in http)(
  '[S3] the mask of a large frame is taken off by native code',
  async () => {
    const unmask = vi.spyOn(native as NonNullable<typeof native>, 'unmask')
    const world = await serverWorld()
    const [alice] = await world.devices('alice')
    unmask.mockClear()
    const large = Buffer.alloc(4 * 1024 * 1024)
    alice.sendBytes(large)
    await alice.closed()
    expect(unmask.mock.calls.map(([bytes]) => bytes.length)).toContain(large.length)
  },
)
