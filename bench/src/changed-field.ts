import assert from 'node:assert/strict'
import type { KeyChange } from '@kith/shared'
import { RawDevice } from './raw-device.ts'
import { percentile, print, type Row } from './report.ts'
import { startServerProcess } from './server-process.ts'
import { followerOf } from './workloads/kith.ts'

const fieldCount = 128
const edits = 50

/** Level 0 with about 64 KiB, of which one field is a name. */
function profileWith(name: string): KeyChange[] {
  const filling = Array.from({ length: fieldCount }, (_, n): KeyChange => field(`filling-${n}`, 'x'.repeat(465)))
  return [...filling, field('name', name)]
}

function field(name: string, value: string): KeyChange {
  return { root: 'fields', key: `0/benchmark/${name}`, value }
}

/**
 * Measures what a follower receives when one name of a level of 64 KiB changes: a device of the newest wire version, and one of
 * 0.1.0.
 */
export async function changedField({ isQuick }: { isQuick: boolean }): Promise<void> {
  const server = await startServerProcess()
  const owner = new RawDevice('owner')
  await owner.connect(server, await server.token('owner'))
  await owner.edit('profile', profileWith('first'))
  const rows: Row[] = []
  for (const isVersioned of [false, true]) {
    const follower = await followerOf(server, `follower-${isVersioned}`, ['owner'], isVersioned)
    let arrived: () => void = () => undefined
    let last = ''
    follower.onProfile = ({ fields }) => {
      last = String(fields['name'])
      arrived()
    }
    const before = follower.feedBytes
    const latencies: number[] = []
    const count = isQuick ? 2 : edits
    for (let edit = 0; edit < count; edit++) {
      const heard = new Promise<void>(resolve => {
        arrived = resolve
      })
      const begunAt = performance.now()
      await owner.edit('profile', [field('name', `name ${edit}`)])
      await heard
      latencies.push(performance.now() - begunAt)
      assert.equal(last, `name ${edit}`)
    }
    const bytes = (follower.feedBytes - before) / count
    assert(isVersioned ? bytes < 200 : bytes > 60_000, `${bytes} bytes for one name`)
    const name = isVersioned ? 'a device that takes differences' : 'a device of 0.1.0'
    rows.push({ follower: name, 'bytes for one name': Math.round(bytes), 'p50 ms': percentile(latencies, 0.5) })
    follower.close()
  }
  print('One name of a level of 64 KiB changes', rows)
  owner.close()
  await server.stop()
}
