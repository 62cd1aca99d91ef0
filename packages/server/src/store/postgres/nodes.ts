import { leaseMs, marginMs, type NodeTable } from '../nodes/node-table.ts'
import { tookUnconfirmed } from './connect.ts'
import type { Database, Statement } from './database.ts'
import { OutdatedError } from './database-error.ts'
import { Hosts } from './hosts.ts'
import { expectMigrated, isReadable } from './migrate.ts'
import { appliedNotice } from './notices.ts'
import type { PostgresRuns } from './runs.ts'

const lasting = `clock_timestamp() + interval '${leaseMs} milliseconds'`
const margin = `interval '${marginMs} milliseconds'`

const statements = {
  renew: {
    name: 'kith-renew',
    text: `update node set lease_until = ${lasting}, applied = greatest(applied, $3)
      where id = $1 and key = $2 and lease_until > clock_timestamp() and ${isReadable} returning run_key() as key`,
  },
  join: {
    name: 'kith-join',
    text: `insert into node (id, key, applied, lease_until)
      select coalesce($1::int, nextval('node_id')), $2::uuid, $3::bigint, ${lasting} where ${isReadable}
      on conflict (id) do update set key = excluded.key, applied = excluded.applied,
        lease_until = excluded.lease_until returning id, run_key() as key`,
  },
  leave: { name: 'kith-leave', text: 'delete from node where id = $1 and key = $2' },
  head: { name: 'kith-head', text: 'select position from head' },
  standing: {
    name: 'kith-standing',
    text: `select
      exists (select from run where key = run_key() and at < clock_timestamp() - interval '${leaseMs + marginMs} milliseconds')
        as settled,
      (select min(case when applied > h.position then 0 else applied end) from node, head h where id <> $1) as applied,
      exists (select from node where id <> $1 and lease_until < clock_timestamp() - ${margin}) as has_gone`,
  },
  removeGone: {
    name: 'kith-remove-gone',
    text: `delete from node where id <> $1 and lease_until < clock_timestamp() - ${margin}`,
  },
} as const satisfies Record<string, Statement>

export interface NodeTableOptions {
  database: Database
  /** Separate connections, because a renewal must not wait behind reads. */
  renewing: Database
  runs: PostgresRuns
  /** Called when the node cannot join, because the database was migrated beyond the version of this Kith. */
  outdated(error: OutdatedError): void
}

/**
 * A node that may not use the schema never gets a lease. Without one, `commit_batch` writes nothing for it. A migration that
 * excludes versions locks this table until it is finished.
 */
export function nodeTable({ database, renewing, runs, outdated }: NodeTableOptions): NodeTable {
  const hosts = Hosts.of(renewing.url)

  /** On a primary that was cut off, no standby confirms writes. */
  async function confirmed<Row>(on: Database, statement: Statement): Promise<Row[]> {
    return on.with(async client => {
      const rows = await on.on<Row>(client, statement)
      if (tookUnconfirmed(client)) throw new Error('no standby has confirmed what was written of a node')
      return rows
    })
  }

  /** With a pooler, no connection is lost when the database is opened again. */
  async function noteRun(key: string | undefined): Promise<void> {
    if (key !== runs.key) await renewing.with(client => runs.load(client))
  }

  /** Why the node could not join. */
  async function refusal(): Promise<unknown> {
    try {
      await renewing.with(client => expectMigrated(client))
    } catch (error) {
      if (error instanceof OutdatedError) outdated(error)
      return error
    }
    return new Error('the node could not join the others')
  }

  return {
    async renew({ id, key }, applied) {
      const [renewed] = await confirmed<{ key: string }>(renewing, {
        ...statements.renew,
        values: [id, key, applied],
      })
      if (renewed) await noteRun(renewed.key)
      return renewed !== undefined
    },

    async join(before, key, applied) {
      const values = [before ?? null, key, applied]
      const [joined] = await confirmed<{ id: number; key: string }>(renewing, { ...statements.join, values })
      if (!joined) throw await refusal()
      await noteRun(joined.key)
      return { id: joined.id, key }
    },

    async leave({ id, key }) {
      await renewing.rows({ ...statements.leave, values: [id, key] })
    },

    async head() {
      const [row] = await renewing.rows<{ position: number }>(statements.head)
      return row?.position ?? 0
    },

    async standing(id) {
      const [row] = await database.rows<StandingRow>({ ...statements.standing, values: [id] })
      const { settled, applied, has_gone: hasGone } = row as StandingRow
      return { isSettled: settled, applied: applied ?? undefined, hasGone }
    },

    async removeGone(id) {
      await confirmed(database, { ...statements.removeGone, values: [id] })
    },

    lookElsewhere: () => hosts.lookElsewhere(),

    async sayApplied({ id, key }, position) {
      // Inlines numbers and a UUID of this node, because a query with several statements takes no parameters.
      await renewing.with(client =>
        client.query(`begin; set local synchronous_commit = off;
          update node set applied = greatest(applied, ${position}) where id = ${id} and key = '${key}';
          select pg_notify('kith_' || current_schema(), '${appliedNotice}'); commit`),
      )
    },
  }
}

interface StandingRow {
  settled: boolean
  applied: number | null
  has_gone: boolean
}
