import { liveQuery } from 'dexie'
import type { KithDatabase } from '../database/schema.ts'
import type { QueryObserver } from '../database/store.ts'
import type { Device } from './device.ts'
import { isLoss } from './loss.ts'

/** The lives of a database, one after the other. */
export interface Lives {
  /** The device that is open, if there is one now. */
  readonly present: Device | undefined
  onOpen(listener: () => void): () => void
}

/** How often a query is tried in one life of which nothing but the query fails. */
const mostAttempts = 10

/** Tells what a query finds, again whenever that changes, and again in each life. Returns a function that stops it. */
export function followLives<T>(
  lives: Lives,
  query: (db: KithDatabase) => Promise<T>,
  observer: QueryObserver<T>,
): () => void {
  let stopAsking: () => void = () => undefined
  let isStopped = false
  const ask = (device: Device | undefined, left: number): void => {
    stopAsking()
    if (!device) return
    const failed = async (error: unknown): Promise<void> => {
      const isOver = isLoss(error, device.db) && !(await device.stands())
      if (isOver || isStopped) return
      if (left > 0 && isLoss(error, device.db)) ask(device, left - 1)
      else observer.error(error)
    }
    const asking = liveQuery(() => query(device.db)).subscribe({
      next: value => observer.next(value),
      error: error => void failed(error),
    })
    stopAsking = () => asking.unsubscribe()
  }
  ask(lives.present, mostAttempts)
  const stopFollowing = lives.onOpen(() => ask(lives.present, mostAttempts))
  return () => {
    isStopped = true
    stopFollowing()
    stopAsking()
  }
}
