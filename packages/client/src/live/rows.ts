import { KithError } from '@kith/shared'
import type { Tables } from '../database/contract.ts'
import { textOf } from '../database/failure.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Subscribable } from '../subscribable.ts'
import { subscribable } from './subscribable.ts'

/**
 * An observable of the result of a database query. Emits again when any tab has changed rows that the query reads and the
 * result is different. `keep` returns the previous value if nothing is different. An error means that the database cannot be
 * read. While no database is open, nothing is emitted.
 */
export function liveRows<T>(
  store: DeviceStore,
  read: (db: Tables) => Promise<T>,
  keep: (before: T, now: T) => T,
): Subscribable<T> {
  return subscribable(told => {
    let shown: { value: T } | undefined
    return store.live(read, {
      next: now => {
        const value = shown ? keep(shown.value, now) : now
        if (shown && shown.value === value) return
        shown = { value }
        told.next(value)
      },
      error: cause => {
        shown = undefined
        const message = `This device's database could not be read: ${textOf(cause)}`
        told.error(new KithError('database-failed', message, { cause }))
      },
    })
  })
}
