import type pg from 'pg'
import type { Clock } from '../../clock.ts'
import type { LogRow, Outcome, SharedDatabase, WriteBatch } from '../nodes/shared-database.ts'
import { callOf } from './batch.ts'
import { isConnectionLost, tookUnconfirmed } from './connect.ts'
import type { Database, Statement } from './database.ts'
import type { OutdatedError } from './database-error.ts'
import { LogTrimming } from './log-trimming.ts'
import { nodeTable } from './nodes.ts'
import { Notices } from './notices.ts'
import { postgresOutbox } from './outbox.ts'
import {
  changedSince,
  erasuresOf,
  hasAsked,
  levelsOf,
  levelsWithFields,
  lookAt,
  partsOf,
  registeredAfter,
  revocationOf,
  usersOf,
} from './reads.ts'
import { PostgresRecords, relationPages } from './records.ts'
import type { PostgresRuns } from './runs.ts'

/** How often a node that holds the lock on the head sends a sign of life. */
const pingMs = 1_000

/** The number of batches that are read from the log together. */
const mostRows = 200

const logAfter: Statement = {
  name: 'kith-log',
  text: `select h.position as head, l.first, l.last, l.batch::text, l.commits from head h
    left join lateral (select * from log where last > $1 order by last limit ${mostRows}) l on true order by l.last`,
}

const oldestCursor: Statement = {
  name: 'kith-oldest',
  text: `select oldest_cursor($1) as oldest, (select position from head) as at,
    (select confirmed_ms from store) as "confirmedMs"`,
}

type OldestCursor = Awaited<ReturnType<SharedDatabase['oldestCursor']>>

export interface PostgresDatabaseOptions {
  /** For reads. */
  database: Database
  /** One connection, for writes. */
  writer: Database
  /** One connection, for the lease. */
  renewing: Database
  runs: PostgresRuns
  clock: Clock
  /** The same database, by a way that keeps sessions. Absent: the same way as for everything else. */
  listenUrl: string | undefined
  /** @see NodeTableOptions.outdated */
  outdated(error: OutdatedError): void
}

/** A PostgreSQL database of our schema, from the view of one node. */
export function sharedDatabase(options: PostgresDatabaseOptions): SharedDatabase {
  const { database, writer, renewing, runs, clock, listenUrl } = options
  let heard: Parameters<SharedDatabase['listen']>[0] = { written: () => undefined, applied: () => undefined }
  const noticed = { written: () => heard.written(), applied: () => heard.applied() }
  const notices = new Notices(listenUrl ?? database.url, clock, noticed.written, noticed.applied)
  const trimming = new LogTrimming(database, clock)
  const stopTrimming = clock.every(trimming.intervalMs, () => {
    trimming.trim()
    trimming.removeLapsed()
  })
  /** `call`: the call that writes the batch, encoded before all others wait for the connection. */
  async function ask(client: pg.Client, call: Statement): Promise<Outcome & { isOtherRun: boolean }> {
    const [row] = await writer.on<{ status: Outcome['status'] | 'other-run'; last: number }>(client, call)
    const { status, last } = row as NonNullable<typeof row>
    const isOtherRun = status === 'other-run'
    return { status: isOtherRun ? 'conflict' : status, last, isConfirmed: !tookUnconfirmed(client), isOtherRun }
  }

  /** The state that was read for a batch may not be in the history of the present run. */
  async function learnRun(): Promise<void> {
    await writer.with(client => runs.load(client))
  }

  async function alone(work: (write: WriteBatch) => Promise<void>): Promise<void> {
    await writer.with(async client => {
      await client.query("begin; set local idle_in_transaction_session_timeout = '5s'; select from head for update")
      let isCommitted = false
      let isOtherRun = false
      // A paused node loses the lock, but a node that derives for a long time does not.
      const stopPinging = clock.every(pingMs, () => void client.query('select').catch(() => undefined))
      try {
        await work(async batch => {
          const outcome = await ask(client, await callOf(batch))
          isOtherRun ||= outcome.isOtherRun
          if (outcome.status !== 'written' || isCommitted) return outcome
          await client.query('commit')
          isCommitted = true
          return { ...outcome, isConfirmed: !tookUnconfirmed(client) }
        })
      } finally {
        stopPinging()
        if (!isCommitted) await client.query('rollback')
        if (isOtherRun) await runs.load(client)
      }
    })
  }

  return {
    get run() {
      return runs.current
    },
    reachOf: run => runs.reachOf(run),

    nodes: nodeTable(options),
    outbox: postgresOutbox(database),
    records: turn => new PostgresRecords(database, turn),
    async write(batch) {
      const call = await callOf(batch)
      const outcome = await writer.with(client => ask(client, call))
      if (outcome.isOtherRun) await learnRun()
      return outcome
    },
    alone,

    async logAfter(position) {
      const found = await database.rows<LogRow & { head: number; last: number | null }>({
        ...logAfter,
        values: [position],
      })
      const [first] = found
      if (!first) throw new Error('the database has no head')
      return { head: first.head, rows: first.last === null ? [] : found, isCut: found.length === mostRows }
    },

    isConnectionLost,
    say: () => notices.say(),
    listen(by) {
      heard = by
    },

    async close() {
      stopTrimming()
      await Promise.all([notices.close(), database.close(), writer.close(), renewing.close()])
    },

    users: ids => usersOf(database, ids),
    registeredAfter: (id, most) => registeredAfter(database, id, most),
    erasures: id => erasuresOf(database, id),
    revocation: id => revocationOf(database, id),
    document: (id, document, since) => partsOf(database, id, document, since),
    views: (viewer, owners, wanted) => lookAt(database, viewer, owners, wanted),
    levels: names => levelsOf(database, names),
    levelsWithFields: owner => levelsWithFields(database, owner),

    async *relationsOf(id) {
      for await (const { at, relations } of relationPages(database, id)) {
        yield { at, relations: relations.map(([owner, relation]) => ({ owner, relation })) }
      }
    },

    hasAsked: (viewer, id) => hasAsked(database, viewer, id),
    changedSince: (since, most) => changedSince(database, since, most),

    async oldestCursor(nowMs) {
      const [row] = await database.rows<OldestCursor>({ ...oldestCursor, values: [nowMs] })
      return row ?? { oldest: 0, at: 0, confirmedMs: 0 }
    },
  }
}
