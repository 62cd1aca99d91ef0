import { KithError } from '@kith/shared'
import type { Tables } from '../database/contract.ts'
import { textOf } from '../database/failure.ts'
import type { DeviceStore } from '../database/store.ts'
import type { Subscribable } from '../subscribable.ts'
import { subscribable } from './subscribable.ts'

/**
 * What a query of this device's database gives, again whenever any tab has written what it looks at and it looks different.
 * `keep` gives the value of before itself when nothing is different. An error says that the database can't be read; while
 * none is open nothing is told.
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
