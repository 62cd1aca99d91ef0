import { type ErrorCode, KithError } from '@kith/shared'
import type { IncomingMessage } from '../api/events.ts'
import type { Happening } from '../database/people.ts'
import type { EventRow, KithDatabase } from '../database/schema.ts'
import type { DeviceStore } from '../database/store.ts'
import type { PresenceByUser } from '../presence/presence.ts'

/** A message of one tab to the others. */
export type Notice =
  /** Rows were written: of these people, or of too many to name. */
  | { type: 'committed'; ids: string[] | 'many'; happenings: readonly Happening[]; hasWritten: boolean }
  | { type: 'message'; message: IncomingMessage }
  | { type: 'error'; error: PlainError }
  /** A tab wants the presence of these users only. */
  | { type: 'watching'; tab: string; users: readonly string[] }
  /** Another tab has the socket now: it must be told who wants whose presence, and asked again for those looked at. */
  | { type: 'whoWatches' }
  /** All that is known of those whom other tabs watch. */
  | { type: 'presence'; known: PresenceByUser }

/** A KithError as the database keeps it. */
export interface PlainError {
  code: ErrorCode
  message: string
  retryAfterMs: number | undefined
  addresses: readonly string[] | undefined
}

export function plainError({ code, message, retryAfterMs, addresses }: KithError): PlainError {
  return { code, message, retryAfterMs, addresses }
}

export function errorFrom({ code, message, retryAfterMs, addresses }: PlainError): KithError {
  return new KithError(code, message, { retryAfterMs, addresses })
}

/** How many notices are kept for tabs that are slow. */
const kept = 500

/** Tells the other tabs. Part of the caller's transaction, if there is one. */
export async function tell(db: KithDatabase, tab: string, event: Notice): Promise<void> {
  // An outdated presence is not kept.
  if (event.type === 'presence' || event.type === 'whoWatches') {
    await db.events.filter(row => (row.event as Notice).type === 'presence').delete()
  }
  const id = await db.events.add({ tab, event })
  if (id % 100 === 0) {
    await db.events
      .where(':id')
      .below(id - kept)
      .delete()
  }
}

/** Calls `heard` with the notices of other tabs from now on, in order. Returns a function that stops it. */
export async function listen(
  store: DeviceStore,
  tab: string,
  heard: (notice: Notice) => void,
  failed: (error: unknown) => void,
): Promise<() => void> {
  let last = (await store.use(db => db.events.orderBy(':id').last()))?.id ?? 0
  const take = (rows: EventRow[]): void => {
    for (const row of rows) {
      const id = row.id as number
      if (id <= last) continue
      last = id
      if (row.tab !== tab) heard(row.event as Notice)
    }
  }
  return store.live(db => db.events.where(':id').above(last).toArray(), { next: take, error: failed })
}
