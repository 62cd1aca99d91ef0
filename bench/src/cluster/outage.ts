import { setTimeout } from 'node:timers/promises'
import { RawDevice } from '../raw-device.ts'
import { type Row, rounded } from '../report.ts'
import type { ServerProcess } from '../server-process.ts'
import type { Place } from './places.ts'

const retryMs = 20
/** A device treats its connection as lost when it has received no data for this time. */
const patienceMs = 15_000

/** Measures the time from the end of a node, and then of the primary, until an edit is on disk again. */
export async function outages({ name, nodes, postgres, standby }: Place): Promise<Row[]> {
  const [first, second] = nodes as [ServerProcess, ServerProcess]
  await edit(first, 'before')
  const rows: Row[] = []
  const note = (what: string, begun: number): void =>
    void rows.push({ store: name, what, 'ms until an edit is on disk again': rounded(performance.now() - begun) })

  let begun = performance.now()
  await first.kill()
  await retried(() => edit(second, 'after a node'))
  note('a node is killed, and its device goes to another', begun)

  if (!postgres || !standby) return rows
  begun = performance.now()
  await postgres.kill()
  await standby.confirmBy()
  await standby.promote()
  note('of which until the standby is promoted', begun)
  await retried(() => edit(second, 'after the primary'))
  rows.push({
    store: name,
    what: 'the primary is killed, and its standby promoted at once',
    'ms until an edit is on disk again': rounded(performance.now() - begun),
  })
  return rows
}

/** Connects a device, and makes an edit. Rejects when this takes too long. */
async function edit(node: ServerProcess, value: string): Promise<void> {
  const device = new RawDevice('mover')
  const done = new AbortController()
  try {
    await Promise.race([
      device.connect(node, await node.token('mover')).then(() => device.edit('profile', status(value))),
      setTimeout(patienceMs, undefined, { signal: done.signal }).then(() => {
        throw new Error('nothing came')
      }),
    ])
  } finally {
    done.abort()
    device.close()
  }
}

async function retried(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch {
      await setTimeout(retryMs)
    }
  }
}

const status = (value: string): { root: string; key: string; value: string }[] => [
  { root: 'fields', key: '0/benchmark/status', value },
]
