import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import { takesAway } from '../../relations/commit.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import type { UserRecord } from '../../relations/records.ts'
import type { Store } from '../../relations/store.ts'
import type { Known, KnownPage } from '../../relations/views.ts'
import { CommitListeners } from '../commit-listeners.ts'
import { Applied } from './applied.ts'
import { Commits, type NodeSizes } from './commits.ts'
import { Everywhere } from './everywhere.ts'
import { NodeLease } from './node-lease.ts'
import { leaseMs } from './node-table.ts'
import { Reports } from './reports.ts'
import type { SharedDatabase } from './shared-database.ts'
import type { Standbys } from './standbys.ts'

export interface NodeStoreOptions {
  database: SharedDatabase
  incarnations: Incarnations
  cursorKey: Uint8Array
  /** The head, when the node started. */
  position: number
  limits: Limits
  clock: Clock
  /** The clock that measures the lease, regardless of `clock`, because other nodes rely on it. */
  leaseClock: Clock
  /** How often the log is read when no notice says that it has grown. */
  pollMs: number
  /** Absent if no events are written. */
  room?: EventRoom | undefined
  sizes?: NodeSizes | undefined
  /** Absent if the database cannot lose data. */
  standbys?: Standbys | undefined
}

/** Opens the store of one node among several that share one database. Resolves when the node has its lease. */
export async function openNodeStore(options: NodeStoreOptions): Promise<Store> {
  const { database, incarnations, clock, leaseClock, limits, cursorKey, position, pollMs } = options
  const table = database.nodes
  const listeners = new CommitListeners()
  const reports = new Reports({
    ...{ database, listeners, position, elapsed: () => leaseClock.elapsed() },
    lost: () => {
      everywhere.forget()
      lease.leave()
      listeners.lost()
    },
  })
  const reached = (to: number): Promise<void> => reports.reached(to)
  const applied = (): number => reports.position
  const lease = new NodeLease({ table, clock: leaseClock, applied, reached })
  const everywhere = new Everywhere({ table, lease, clock: leaseClock, reached })
  const saying = new Applied(table, lease, applied)
  // The listeners that follow withdraw, in the same turn, what a commit takes away.
  listeners.add({ committed: some => some.some(takesAway) && saying.say() })
  await lease.join()
  const commits = new Commits({
    database,
    reports,
    lease,
    incarnations,
    limits,
    clock,
    leaseClock,
    room: options.room,
    sizes: options.sizes,
  })
  database.listen({ written: () => reports.look(), applied: () => everywhere.look() })
  const stopPolling = clock.every(pollMs, () => reports.look())
  let closed: Promise<void> | undefined
  /** As of the last device that came with a cursor. An earlier time makes nothing lapse. */
  let confirmed = 0

  /** The state that was read is ahead of what was reported, so there is something to report. */
  function noted<T extends { at: number }>(found: T): T {
    if (found.at > reports.position) reports.look()
    return found
  }

  async function* relationsOf(id: string): AsyncIterable<KnownPage> {
    for await (const page of database.relationsOf(id)) yield noted(page)
  }

  async function close(): Promise<void> {
    await commits.close()
    everywhere.close()
    stopPolling()
    options.standbys?.close()
    await reports.close()
    await lease.close()
    await database.close()
  }

  return {
    get run() {
      return reports.run
    },
    cursorKey,
    reachOf: run => database.reachOf(run),
    get position() {
      return reports.position
    },
    get losses() {
      return reports.losses
    },
    refusal: undefined,
    outbox: database.outbox,
    lease,
    node: {
      get lagMs() {
        return reports.lagMs
      },
      get isBehind() {
        return reports.lagMs > leaseMs
      },
      get isUnconfirmed() {
        return options.standbys?.isConfirming === false
      },
      get lacksStandby() {
        return options.standbys?.isRequired === true && !options.standbys.isConfirming
      },
      get conflicts() {
        return commits.conflicts
      },
    },
    whenEverywhere: to => everywhere.reached(to),
    whenCurrent: () => reports.current(),
    commit: change => commits.commit(change),
    onCommit: listener => listeners.add(listener),
    user: async id => (await database.users([id]))[0] as UserRecord,
    users: ids => database.users(ids),
    registeredAfter: (id, most) => database.registeredAfter(id, most),

    async incarnation(id, declared) {
      const erasures = await database.erasures(id)
      return { current: incarnations.of(id, erasures), state: incarnations.stateOf(declared, id, erasures) }
    },

    revocation: id => database.revocation(id),
    document: (id, document) => database.document(id, document),
    documentSince: (id, document, since) => database.document(id, document, since),
    views: async (viewer, owners, wanted) => noted(await database.views(viewer, owners, wanted)),
    levels: names => database.levels(names),
    levelsWithFields: owner => database.levelsWithFields(owner),
    relationsOf,

    async relations(id) {
      const all: Known[] = []
      for await (const { relations } of relationsOf(id)) for (const one of relations) all.push(one)
      return all
    },

    hasAsked: (viewer, id) => database.hasAsked(viewer, id),
    changedSince: (since, most) => database.changedSince(since, most),

    get confirmedMs() {
      return confirmed
    },

    async oldestCursor() {
      const { oldest, at, confirmedMs } = await database.oldestCursor(clock.now())
      confirmed = confirmedMs
      // A device that comes from another node may have a cursor that this node has not reported yet, in this run or another.
      await reports.settledRun()
      await reports.reached(at)
      return oldest
    },

    close: () => (closed ??= close()),
  }
}
