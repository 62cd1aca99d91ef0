import type { Limits } from '@kith/shared'
import { type Clock, type LeaseClock, systemLeaseClock } from '../../clock.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import type { Store } from '../../relations/store.ts'
import { openNodeStore } from '../nodes/node-store.ts'
import { Database } from './database.ts'
import { DatabaseError } from './database-error.ts'
import { durabilityOf, noStandby } from './durability.ts'
import { expectMigrated } from './migrate.ts'
import { sharedDatabase } from './postgres-database.ts'
import { PostgresRuns } from './runs.ts'
import { StandbyWatch } from './standby-watch.ts'

/** As many reads as are under way at a time. */
const readers = 6

/** Of reads, each of which is a page at most. */
const readTimeoutMs = 10_000
/** Of a batch, which may wait for a standby: it is sent again on another connection, and written once. */
const writeTimeoutMs = 30_000
/** Of a renewal of the lease: its connection is given up then, since nothing may come over it any more. */
const renewalTimeoutMs = 10_000
/** How often the log is looked at when nothing says that it has grown. */
const pollMs = 50

export interface PostgresOptions {
  limits: Limits
  clock: Clock
  /** Which events are written to the outbox; none without it. */
  room?: EventRoom | undefined
  /** What the lease is measured with, whatever `clock` says: other nodes rely on it. */
  leaseClock?: LeaseClock | undefined
  /** Whether statements are prepared: a pooler between may not know them. */
  prepares?: boolean | undefined
  /** The same database, without a pooler between that pools transactions: for LISTEN. */
  listenUrl?: string | undefined
  /** Refuses a database without a synchronous standby; a node whose database loses it is not ready. */
  requiresStandby?: boolean | undefined
  /** Hears of a risk that the operator may have taken on purpose. */
  warn?: ((warning: string) => void) | undefined
}

/**
 * Opens the store of one node on a PostgreSQL database, which other nodes may have open as well. Rejects with
 * {@link DatabaseError} when the database cannot be reached, was not migrated, or is not as durable as it must be.
 */
export async function openPostgresStore(url: string, options: PostgresOptions): Promise<Store> {
  const { limits, clock, prepares = true, leaseClock = systemLeaseClock, listenUrl } = options
  const { requiresStandby = false, warn = () => undefined } = options
  const database = new Database(url, { most: readers, prepares, timeoutMs: readTimeoutMs })
  const writer = new Database(url, { most: 1, prepares, timeoutMs: writeTimeoutMs })
  const renewing = new Database(url, { most: 1, prepares, timeoutMs: renewalTimeoutMs })
  const runs = new PostgresRuns()
  let isConfirming = false
  let close = async (): Promise<void> => {
    await Promise.all([database.close(), writer.close(), renewing.close()])
  }
  try {
    const { identity, cursor_key: cursorKey } = await database.with(async client => {
      await expectMigrated(client)
      if ((await client.query('select from copying')).rowCount) {
        throw new DatabaseError('a copy to this database is not finished: run kith-server copy again')
      }
      isConfirming = (await durabilityOf(client)).isConfirming
      if (!isConfirming && requiresStandby) {
        throw new DatabaseError(`${noStandby}, or KITH_DATABASE_REQUIRE_STANDBY=false`)
      }
      if (!isConfirming) warn(noStandby)
      await runs.load(client)
      return (await client.query('select identity, cursor_key from store')).rows[0]
    })
    for (const one of [database, writer, renewing]) one.prepare = client => runs.load(client)
    const [head] = await database.rows<{ position: number }>({ name: 'kith-head', text: 'select position from head' })
    const { position } = head as { position: number }
    const incarnations = new Incarnations(new Uint8Array(identity))
    const shared = sharedDatabase({ database, writer, renewing, runs, clock, listenUrl })
    const standbys = new StandbyWatch(database, { clock, warn, isRequired: requiresStandby, isConfirming })
    close = () => {
      standbys.close()
      return shared.close()
    }
    return await openNodeStore({
      ...{ database: shared, incarnations, cursorKey: new Uint8Array(cursorKey), position },
      ...{ limits, clock, leaseClock, pollMs, standbys, room: options.room },
    })
  } catch (error) {
    await close()
    throw error
  }
}
