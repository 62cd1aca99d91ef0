import { print, type Row } from '../report.ts'
import type { ServerProcess } from '../server-process.ts'
import { syncOfThousands } from '../workloads/bulk-sync.ts'
import { returnOfThousand } from '../workloads/return.ts'
import { fanOutAcross } from './across.ts'
import { commitsOn } from './commits.ts'
import { outages } from './outage.ts'
import { onLevelDB, onPostgres, type Place } from './places.ts'

/** (h) Nodes over PostgreSQL compared with one node on LevelDB, in one run. Databases, nodes and load share this machine. */
export async function cluster(): Promise<void> {
  const commits: Row[] = []
  const across: Row[] = []
  const returns: Row[] = []
  const syncs: Row[] = []
  const gaps: Row[] = []
  const kinds: (() => Promise<Place>)[] = [
    onLevelDB,
    () => onPostgres(1, 0),
    () => onPostgres(1, 1),
    () => onPostgres(3, 0),
    () => onPostgres(3, 1),
  ]
  for (const open of kinds) {
    const place = await open()
    try {
      const [node] = place.nodes as [ServerProcess]
      for (const outstanding of [1, 16, 64]) commits.push(await commitsOn(place, outstanding))
      if (place.nodes.length === 1) {
        returns.push({ store: place.name, ...(await returnOfThousand(node)) })
        for (const row of await syncOfThousands(node)) syncs.push({ store: place.name, ...row })
      } else {
        across.push(...(await fanOutAcross(place)))
        gaps.push(...(await outages(place)))
      }
    } finally {
      await place.stop()
    }
  }
  print('(h) commits a second, all nodes together', commits)
  print('(h) an edit until 100 followers have it, and 100 others on another node', across)
  print('(h) a device with 1,000 follows returns, nothing changed', returns)
  print('(h) 10,000 contacts', syncs)
  print('(h) the gap in service', gaps)
}
