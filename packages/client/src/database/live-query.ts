import { Dexie, liveQuery, type Observable, RangeSet } from 'dexie'
import { isLoss } from '../device/loss.ts'
import type { KithDatabase } from './schema.ts'

/** What a query finds, again whenever that changes. It outlives the loss of the database: while that is gone it waits. */
export function watch<T>(db: KithDatabase, query: () => Promise<T>): Observable<T> {
  return liveQuery(() =>
    query().then(undefined, (error: unknown) => {
      // The one error by which a live query doesn't end.
      throw isLoss(db, error) ? new Dexie.DatabaseClosedError() : error
    }),
  )
}

/** Makes all live queries read again. */
export function watchAnew(): void {
  Dexie.on.storagemutated.fire({ all: new RangeSet(-Infinity, [[[]]]) })
}
