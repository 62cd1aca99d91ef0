import type { Limits } from '@kith/shared'
import type { Clock, LeaseClock } from '../../clock.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import type { UserRecord } from '../../relations/records.ts'
import { type Known, type KnownPage, type Store, takesAway } from '../../relations/store.ts'
import { CommitListeners } from '../commit-listeners.ts'
import { Applied } from './applied.ts'
import { Commits } from './commits.ts'
import type { Database } from './database.ts'
import { Everywhere } from './everywhere.ts'
import { leaseMs, NodeLease } from './lease.ts'
import { LogTrimming } from './log-trimming.ts'
import { Notices } from './notices.ts'
import { accountOf, changedSince, hasAsked, levelsOf, levelsWithFields, lookAt, partsOf, usersOf } from './reads.ts'
import { relationPages } from './records.ts'
import { Reports } from './reports.ts'
import type { PostgresRuns } from './runs.ts'

/** How often the log is looked at when nothing says that it has grown. */
const pollMs = 50

export interface PostgresStoreOptions {
  /** For reads. */
  database: Database
  /** Of one connection, which writes. */
  writer: Database
  /** Of one connection, for the lease. */
  renewing: Database
  runs: PostgresRuns
  incarnations: Incarnations
  cursorKey: Uint8Array
  /** The head, when the node started. */
  position: number
  limits: Limits
  clock: Clock
  leaseClock: LeaseClock
  /** Where other nodes may reach this one. */
  address: string | undefined
}

/** The store of one node among several, on a database of our schema. Resolves when the node has its lease. */
export async function openStore(options: PostgresStoreOptions): Promise<Store> {
  const { database, writer, renewing, runs, incarnations, clock, leaseClock, limits, cursorKey, position } = options
  const listeners = new CommitListeners()
  const reports = new Reports({
    ...{ database, listeners, position, elapsed: () => leaseClock.elapsed() },
    prepare: () => refreshRuns(),
    lost: () => {
      everywhere.forget()
      lease.leave()
      listeners.lost()
    },
  })
  const reached = (to: number): Promise<void> => reports.reached(to)
  const applied = (): number => reports.position
  const lease = new NodeLease({ database: renewing, clock: leaseClock, address: options.address, applied, reached })
  const everywhere = new Everywhere({ database, lease, clock: leaseClock, reached })
  const saying = new Applied(renewing, lease, applied)
  // What a commit takes away is withdrawn in the same turn, by the listeners that follow.
  listeners.add({ committed: some => some.some(takesAway) && saying.say() })
  await lease.join()
  const notices = new Notices(
    database.url,
    clock,
    () => reports.look(),
    () => everywhere.look(),
  )
  const written = (): void => notices.say()
  const commits = new Commits({ database, writer, reports, lease, written, incarnations, limits, clock })
  const trimming = new LogTrimming(database)
  const stops = [clock.every(pollMs, () => reports.look()), clock.every(trimming.intervalMs, () => trimming.trim())]
  let closed: Promise<void> | undefined
  // A connection that is opened later may be to another primary, where another run has begun.
  let mayHaveNewRun = false
  database.onConnect = () => {
    mayHaveNewRun = true
  }

  async function refreshRuns(): Promise<void> {
    if (!mayHaveNewRun) return
    mayHaveNewRun = false
    await runs.load(database)
  }

  /** What was read is ahead of what was reported: so there is something to report. */
  function noted<T extends { at: number }>(found: T): T {
    if (found.at > reports.position) reports.look()
    return found
  }

  async function* relationsOf(id: string): AsyncIterable<KnownPage> {
    for await (const { at, relations } of relationPages(database, id)) {
      yield noted({ at, relations: relations.map(([owner, relation]) => ({ owner, relation })) })
    }
  }

  async function close(): Promise<void> {
    await commits.close()
    everywhere.close()
    for (const stop of stops) stop()
    await reports.close()
    await lease.close()
    await Promise.all([notices.close(), database.close(), writer.close()])
  }

  return {
    get run() {
      return runs.current
    },
    cursorKey,
    reachOf: run => runs.reachOf(run),
    get position() {
      return reports.position
    },
    refusal: undefined,
    lease,
    node: {
      get lagMs() {
        return reports.lagMs
      },
      get isBehind() {
        return reports.lagMs > leaseMs
      },
      get conflicts() {
        return commits.conflicts
      },
    },
    whenEverywhere: to => everywhere.reached(to),
    commit: change => commits.commit(change),
    onCommit: listener => listeners.add(listener),
    user: async id => (await usersOf(database, [id]))[0] as UserRecord,
    users: ids => usersOf(database, ids),

    async incarnation(id, declared) {
      const { erasures } = await accountOf(database, id)
      return { current: incarnations.of(id, erasures), state: incarnations.stateOf(declared, id, erasures) }
    },

    tokensRevokedAt: async id => (await accountOf(database, id)).revokedAtMs,
    document: (id, document) => partsOf(database, id, document),
    documentSince: async (id, document, position) => (await partsOf(database, id, document, position)).parts,
    views: async (viewer, owners, wanted) => noted(await lookAt(database, viewer, owners, wanted)),
    levels: names => levelsOf(database, names),
    levelsWithFields: owner => levelsWithFields(database, owner),
    relationsOf,

    async relations(id) {
      const all: Known[] = []
      for await (const { relations } of relationsOf(id)) for (const one of relations) all.push(one)
      return all
    },

    hasAsked: (viewer, id) => hasAsked(database, viewer, id),
    changedSince: (since, most) => changedSince(database, since, most),

    async oldestCursor() {
      const text = 'select oldest_cursor($1) as oldest, (select position from head) as at'
      const values = [clock.now()]
      const [row] = await database.rows<{ oldest: number; at: number }>({ name: 'kith-oldest', text, values })
      // A device that comes from another node has a cursor that this node may not have reported yet.
      await reports.reached(row?.at ?? 0)
      return row?.oldest ?? 0
    },

    close: () => (closed ??= close()),
  }
}
