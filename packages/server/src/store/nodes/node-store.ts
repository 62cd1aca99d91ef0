import type { Limits } from '@kith/shared'
import type { Clock } from '../../clock.ts'
import type { Incarnations } from '../../relations/incarnations.ts'
import type { UserRecord } from '../../relations/records.ts'
import type { Known, KnownPage, Store } from '../../relations/store.ts'
import { CommitListeners } from '../commit-listeners.ts'
import { Commits } from './commits.ts'
import { Reports } from './reports.ts'
import type { SharedDatabase } from './shared-database.ts'

export interface NodeStoreOptions {
  database: SharedDatabase
  incarnations: Incarnations
  cursorKey: Uint8Array
  /** The head, when the node started. */
  position: number
  limits: Limits
  clock: Clock
  /** How often the log is looked at when nothing says that it has grown. */
  pollMs: number
}

/** The store of one node among several that have one database open. */
export function openNodeStore(options: NodeStoreOptions): Store {
  const { database, incarnations, clock, limits, cursorKey, position, pollMs } = options
  const listeners = new CommitListeners()
  const reports = new Reports({ database, listeners, position, lost: () => listeners.lost() })
  const commits = new Commits({ database, reports, incarnations, limits, clock })
  database.listen(() => reports.look())
  const stopPolling = clock.every(pollMs, () => reports.look())
  let closed: Promise<void> | undefined

  /** What was read is ahead of what was reported: so there is something to report. */
  function noted<T extends { at: number }>(found: T): T {
    if (found.at > reports.position) reports.look()
    return found
  }

  async function* relationsOf(id: string): AsyncIterable<KnownPage> {
    for await (const page of database.relationsOf(id)) yield noted(page)
  }

  async function close(): Promise<void> {
    await commits.close()
    stopPolling()
    await reports.close()
    await database.close()
  }

  return {
    get run() {
      return database.run
    },
    cursorKey,
    reachOf: run => database.reachOf(run),
    get position() {
      return reports.position
    },
    refusal: undefined,
    commit: change => commits.commit(change),
    onCommit: listener => listeners.add(listener),
    user: async id => (await database.users([id]))[0] as UserRecord,
    users: ids => database.users(ids),

    async incarnation(id, declared) {
      const { erasures } = await database.account(id)
      return { current: incarnations.of(id, erasures), state: incarnations.stateOf(declared, id, erasures) }
    },

    tokensRevokedAt: async id => (await database.account(id)).revokedAtMs,
    document: (id, document) => database.document(id, document),
    documentSince: async (id, document, since) => (await database.document(id, document, since)).parts,
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

    async oldestCursor() {
      const { oldest, at } = await database.oldestCursor(clock.now())
      // A device that comes from another node has a cursor that this node may not have reported yet.
      await reports.reached(at)
      return oldest
    },

    close: () => (closed ??= close()),
  }
}
