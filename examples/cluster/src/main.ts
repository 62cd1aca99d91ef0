import type { Kith } from '@kith/client'
import { findPrograms, howToInstall, type LocalPostgres, startLocalPostgres } from '@kith/local-postgres'
import { type Balancer, startBalancer } from './balancer.ts'
import { openDevice } from './devices.ts'
import { startFront } from './front.ts'
import { type Node, run, startNode } from './nodes.ts'
import { story } from './story.ts'
import { act, tell } from './tell.ts'

/**
 * A cluster on one machine: a primary, a standby and three nodes. First, devices in this process play a story. Then, on a
 * terminal, the demo page shows its devices on the nodes, and can kill nodes, until Ctrl+C. With the argument `page`, only the
 * page runs. All processes end with this one, however it ends.
 */
async function main(): Promise<void> {
  const programs = await findPrograms()
  if (!programs) {
    console.error(howToInstall)
    process.exitCode = 1
    return
  }
  const isPageAlone = process.argv.includes('page')
  if (!isPageAlone) await stopping(parts => play(programs.description, parts))
  if (isPageAlone || process.stdout.isTTY) await stopping(parts => serve(programs.description, parts))
  console.log('\nEverything is stopped.')
}

/** Stops the parts that were started, also when the work fails. */
async function stopping(work: (parts: Parts) => Promise<void>): Promise<void> {
  const parts: Parts = []
  try {
    await work(parts)
  } finally {
    await Promise.all(parts.splice(0).map(part => part.stop()))
  }
}

type Parts = { stop(): Promise<unknown> }[]

/** Serves the demo page on three nodes until a signal ends it. */
async function serve(description: string, parts: Parts): Promise<void> {
  const { nodes, balancer } = await startCluster(description, parts, true)
  const front = await startFront(nodes, balancer)
  parts.push({ stop: async () => front.close() })
  console.log(`\nOpen http://127.0.0.1:${front.port}/?nodes to see which device is on which node, and to kill nodes.`)
  console.log('Ctrl+C stops everything.')
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

async function play(description: string, parts: Parts): Promise<void> {
  const { balancer, primary, standby, database } = await startCluster(description, parts, false)
  const alice = await openOn(balancer, 'alice', parts)
  const bob = await openOn(balancer, 'bob', parts)
  const mallory = await openOn(balancer, 'mallory', parts)
  await story({ alice, bob, mallory, primary, standby, balancer })
  await run('check', database)
  console.log('    kith-server check finds no difference in the database.')
}

interface Cluster {
  primary: LocalPostgres
  standby: LocalPostgres
  /** The URL by which the nodes reach the database. */
  database: string
  nodes: readonly Node[]
  balancer: Balancer
}

async function startCluster(description: string, parts: Parts, withPage: boolean): Promise<Cluster> {
  act('A primary, a standby and three nodes start on this machine.')
  const [primary, standby] = await startDatabase(parts)
  tell(`${description}: the primary is on port ${primary.port}, the standby on port ${standby.port}.`)
  const database = `postgres://kith@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`
  await run('migrate', database)
  const nodes: Node[] = await Promise.all([1, 2, 3].map(number => startNode(number, database, withPage)))
  parts.push(...nodes)
  for (const { number, port } of nodes) console.log(`             Node ${number} is on port ${port}.`)
  const balancer = await startBalancer(nodes)
  parts.push({ stop: async () => balancer.close() })
  return { primary, standby, database, nodes, balancer }
}

/** Starts a primary that answers a commit only when its standby also has it. */
async function startDatabase(parts: Parts): Promise<[LocalPostgres, LocalPostgres]> {
  const primary = await startLocalPostgres()
  parts.push(primary)
  const standby = await primary.addStandby('standby')
  parts.push(standby)
  await primary.confirmBy('standby')
  return [primary, standby]
}

async function openOn(balancer: Balancer, user: string, parts: Parts): Promise<Kith> {
  const device = await openDevice(balancer.port, user)
  parts.push({ stop: () => device.close() })
  await device.whenSynced()
  tell(`A device of ${user} is on node ${balancer.nodeOf(user).number}.`)
  return device
}

await main()
