import type { Limits } from '@kith/shared'
import { type Clock, type LeaseClock, systemLeaseClock } from '../../clock.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import type { Store } from '../../relations/store.ts'
import { openNodeStore } from '../nodes/node-store.ts'
import { Database } from './database.ts'
import { DatabaseError } from './database-error.ts'
import { expectMigrated } from './migrate.ts'
import { sharedDatabase } from './postgres-database.ts'
import { PostgresRuns } from './runs.ts'

/** As many reads as are under way at a time. */
const readers = 6

/** How often the log is looked at when nothing says that it has grown. */
const pollMs = 50

export interface PostgresOptions {
  limits: Limits
  clock: Clock
  /** What the lease is measured with, whatever `clock` says: other nodes rely on it. */
  leaseClock?: LeaseClock | undefined
  /** Where other nodes may reach this one. */
  address?: string | undefined
  /** Whether statements are prepared: a pooler between may not know them. */
  prepares?: boolean | undefined
}

/**
 * Opens the store of one node on a PostgreSQL database, which other nodes may have open as well. Rejects with
 * {@link DatabaseError} when the database cannot be reached, was not migrated, or is not as durable as it must be.
 */
export async function openPostgresStore(
  url: string,
  { limits, clock, prepares = true, leaseClock = systemLeaseClock, address }: PostgresOptions,
): Promise<Store> {
  const database = new Database(url, { most: readers, prepares })
  const writer = new Database(url, { most: 1, prepares })
  const renewing = new Database(url, { most: 1, prepares })
  const runs = new PostgresRuns()
  try {
    const { identity, cursor_key: cursorKey } = await database.with(async client => {
      await expectMigrated(client)
      for (const setting of ['fsync', 'full_page_writes']) {
        const { rows } = await client.query('select current_setting($1) as is', [setting])
        if (rows[0].is === 'off')
          throw new DatabaseError(`the database has ${setting} = off: what it confirms may be lost`)
      }
      await runs.load(client)
      return (await client.query('select identity, cursor_key from store')).rows[0]
    })
    for (const one of [database, writer, renewing]) one.prepare = client => runs.load(client)
    const [head] = await database.rows<{ position: number }>({ name: 'kith-head', text: 'select position from head' })
    const { position } = head as { position: number }
    const incarnations = new Incarnations(new Uint8Array(identity))
    const shared = sharedDatabase({ database, writer, renewing, runs, clock, address })
    return await openNodeStore({
      ...{ database: shared, incarnations, cursorKey: new Uint8Array(cursorKey), position },
      ...{ limits, clock, leaseClock, pollMs },
    })
  } catch (error) {
    await Promise.all([database.close(), writer.close(), renewing.close()])
    throw error
  }
}
