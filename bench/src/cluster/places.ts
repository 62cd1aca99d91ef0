import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'
import { type ServerProcess, serverProgram, startServerProcess } from '../server-process.ts'

/** The place where a server keeps its state, and the nodes that use it. */
export interface Place {
  name: string
  nodes: ServerProcess[]
  postgres?: LocalPostgres
  standby?: LocalPostgres
  stop(): Promise<void>
}

/** Raised limits: the default limits of its user would close a device that writes as fast as it can. */
const env = Object.fromEntries(
  ['WRITES_PER_SECOND', 'WRITES_BURST', 'WORK_PER_SECOND', 'WORK_BURST'].map(name => [
    `KITH_LIMIT_${name}`,
    '10000000',
  ]),
)

export async function onLevelDB(): Promise<Place> {
  const server = await startServerProcess({ env })
  return { name: 'LevelDB', nodes: [server], stop: () => server.stop() }
}

/** `standbys`: 0, or 1, which then confirms each commit. */
export async function onPostgres(nodeCount: number, standbys: 0 | 1): Promise<Place> {
  const postgres = await startLocalPostgres({ max_connections: 100 })
  const all = [postgres]
  const nodes: ServerProcess[] = []
  async function stop(): Promise<void> {
    await Promise.all(nodes.map(node => node.kill()))
    for (const one of all.reverse()) await one.stop()
  }
  try {
    if (standbys > 0) {
      all.push(await postgres.addStandby('b'))
      await postgres.confirmBy('b')
    }
    const database = urlOf(all)
    const migrating = { env: { ...process.env, KITH_DATABASE_URL: database } }
    await promisify(execFile)(process.execPath, [serverProgram, 'migrate'], migrating)
    for (let index = 0; index < nodeCount; index++) nodes.push(await startServerProcess({ database, env }))
    const [, standby] = all
    const name = `PostgreSQL${standby ? ' with a synchronous standby' : ''}, ${nodeCount} node${nodeCount > 1 ? 's' : ''}`
    return { name, nodes, postgres, ...(standby && { standby }), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Names all servers as hosts of one URL, whichever of them is the primary. */
function urlOf(servers: readonly LocalPostgres[]): string {
  const [first] = servers as [LocalPostgres]
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return first.url.replace(/@[^/]+/, `@${hosts}`)
}
