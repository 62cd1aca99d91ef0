import { RawDevice, userIds } from '../raw-device.ts'
import { percentile, type Row, rounded } from '../report.ts'
import type { Place } from './places.ts'

const measuredMs = 4_000
const warmUpMs = 1_000

/**
 * Measures edits of profiles until they are on disk, with this many edits outstanding on each node. Reports the commits per
 * second of all nodes.
 */
export async function commitsOn({ name, nodes }: Place, outstanding: number): Promise<Row> {
  const latencies: number[] = []
  const devices: RawDevice[] = []
  for (const [index, node] of nodes.entries()) {
    for (const user of userIds(`writer-${index}-${outstanding}`, outstanding)) {
      const device = new RawDevice(user)
      await device.connect(node, await node.token(user))
      devices.push(device)
    }
  }
  const begun = performance.now() + warmUpMs
  const until = begun + measuredMs
  await Promise.all(
    devices.map(async device => {
      for (let number = 0; performance.now() < until; number++) {
        const before = performance.now()
        await device.edit('profile', [{ root: 'fields', key: '0/benchmark/status', value: String(number) }])
        if (before >= begun) latencies.push(performance.now() - before)
      }
    }),
  )
  for (const device of devices) device.close()
  return {
    store: name,
    'outstanding on each node': outstanding,
    'commits/s': rounded((latencies.length * 1000) / measuredMs),
    'p50 ms': percentile(latencies, 0.5),
    'p99 ms': percentile(latencies, 0.99),
  }
}
