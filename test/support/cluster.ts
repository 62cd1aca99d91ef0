import { setTimeout } from 'node:timers/promises'
import { type Clock, type Commit, type Store, systemClock } from '@kith/server'
import { TestClock } from '@kith/server/testing'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { PostgresServer } from './postgres.ts'
import { migrate, openPostgresStore } from './server-internals.ts'
import { limitsWith } from './stores.ts'

/** Several nodes on one database, and a connection of the test itself. */
export interface Cluster {
  url: string
  nodes: [Store, Store, ...Store[]]
  /** The commits that each node has reported. */
  reported: Commit[][]
  client: pg.Client
  /** Opens one more node. */
  join(clock: Clock, leaseClock?: Clock): Promise<Store>
  close(): Promise<void>
}

export async function openCluster(
  postgres: PostgresServer,
  count: number,
  clock: Clock = new TestClock(),
): Promise<Cluster> {
  const url = await postgres.newUrl()
  await migrate(url)
  const nodes: Store[] = []
  const join: Cluster['join'] = async (its, leaseClock) => {
    const node = await openPostgresStore(url, { limits: limitsWith(), clock: its, leaseClock })
    nodes.push(node)
    return node
  }
  await Promise.all(Array.from({ length: count }, () => join(clock)))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map(node => node.close()))
    await client.end()
  }
  onTestFinished(close)
  const reported = nodes.map(node => {
    const commits: Commit[] = []
    node.onCommit({ committed: some => commits.push(...some) })
    return commits
  })
  return { url, nodes: nodes as Cluster['nodes'], reported, client, join, close }
}

/** A clock whose time stands still but whose timers run, so that each node polls the log. */
export function pollingClock(): Clock {
  const still = new TestClock()
  return { ...systemClock, now: () => still.now() }
}

export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isSo()); attempt++) {
    if (attempt === 1_000) throw new Error('it never came true')
    await setTimeout(10)
  }
}

/** Derives all changes before the first of them is written. They are written in this order. */
export async function atOnce(client: pg.Client, changes: (() => Promise<Commit>)[]): Promise<Commit[]> {
  await client.query('begin; select from head for update')
  const commits: Promise<Commit>[] = []
  for (const change of changes) {
    commits.push(change())
    await until(async () => (await blocked(client)) === commits.length)
  }
  await client.query('commit')
  return Promise.all(commits)
}

/** Returns how many writers wait for a lock. */
export async function blocked(client: pg.Client): Promise<number> {
  // Without this call, a transaction sees the same statistics each time.
  await client.query('select pg_stat_clear_snapshot()')
  const waiting = await client.query(
    "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'kith'",
  )
  return waiting.rowCount as number
}
