import type { Limits } from '@kith/shared'
import { type Clock, systemClock } from '../../clock.ts'
import type { EventRoom } from '../../relations/event-room.ts'
import { Incarnations } from '../../relations/incarnations.ts'
import type { Store } from '../../relations/store.ts'
import { openNodeStore } from '../nodes/node-store.ts'
import { Database } from './database.ts'
import { DatabaseError, type OutdatedError } from './database-error.ts'
import { durabilityOf, noStandby } from './durability.ts'
import { expectMigrated } from './migrate.ts'
import { sharedDatabase } from './postgres-database.ts'
import { PostgresRuns } from './runs.ts'
import { StandbyWatch } from './standby-watch.ts'

/** The number of reads in progress at a time. */
const readers = 6

/** The timeout of reads, each of which is at most a page. */
const readTimeoutMs = 10_000
/** The timeout of a batch, which may wait for a standby. It is then sent again on another connection, and written only once. */
const writeTimeoutMs = 30_000
/** The timeout of a renewal of the lease. Its connection is then given up, because nothing may arrive on it any more. */
const renewalTimeoutMs = 10_000
/** How often the log is read when no notice says that it has grown. */
const pollMs = 50

export interface PostgresOptions {
  limits: Limits
  clock: Clock
  /** Which events are written to the outbox. Without it, none are. */
  room?: EventRoom | undefined
  /** The clock that measures the lease, regardless of `clock`, because other nodes rely on it. */
  leaseClock?: Clock | undefined
  /** Whether statements are prepared. Some poolers do not support prepared statements. */
  prepares?: boolean | undefined
  /** The same database, without a pooler that pools transactions. For LISTEN. */
  listenUrl?: string | undefined
  /** Refuses a database without a synchronous standby. A node whose database loses its standby is not ready. */
  requiresStandby?: boolean | undefined
  /** Called with a risk that the operator may have accepted on purpose. */
  warn?: ((warning: string) => void) | undefined
  /**
   * Called when the node finds that the database was migrated beyond this version of Kith, which can happen while the process is
   * paused. From then on it writes nothing and hands nothing over: close it. Repeated until it is closed.
   */
  onOutdated?: ((error: OutdatedError) => void) | undefined
}

/**
 * Opens the store of one node on a PostgreSQL database, which other nodes may have open as well. Rejects with
 * {@link DatabaseError} if the database cannot be reached, was not migrated, or is not as durable as required.
 */
export async function openPostgresStore(url: string, options: PostgresOptions): Promise<Store> {
  const { limits, clock, prepares = true, leaseClock = systemClock, listenUrl } = options
  const { requiresStandby = false, warn = () => undefined, onOutdated: outdated = () => undefined } = options
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
    const shared = sharedDatabase({ database, writer, renewing, runs, clock, listenUrl, outdated })
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
