import type { Kith } from '@kith/client'
import { coreOf } from './client-internals.ts'

/** The transactions of this tab wait until it wakes. */
export function asleep(kith: Kith): () => void {
  const { db } = coreOf(kith).store
  const { transaction } = db
  let wake: () => void = () => undefined
  const sleep = new Promise<void>(resolve => {
    wake = resolve
  })
  db.transaction = (async (...details: unknown[]) => {
    await sleep
    return Reflect.apply(transaction, db, details)
  }) as never
  return () => {
    db.transaction = transaction
    wake()
  }
}
